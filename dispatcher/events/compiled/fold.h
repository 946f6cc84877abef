/* The fold of fold.py, compiled: what its parts share.
 *
 * values.c decodes values, scan.c splits rows into them, lines.c tells what lines
 * do, rows.c keeps it, groups.c puts it in order, module.c is what Python sees.
 * Nothing but module.c knows Python. */

#ifndef TDSUP_FOLD_H
#define TDSUP_FOLD_H

#include <stddef.h>
#include <stdint.h>

enum {
    MAX_MOMENT = 64,      /* bytes of a partition value; longer ones tell no moment */
    MAX_GROUPS = 256,     /* sets of columns of one fold */
    MAX_PERIODS = 1 << 14, /* numbers of periods are less */
    MAX_FIELDS = 16,      /* of a line */
    NOT_PARTITIONED = -1,
    BY_EVENT_TIME = -2,
    OF_PREFIX = -1,
    NO_MARK = -1,
};

/* As the enumerations of the same names in folded.py and scan.py. */
enum { NOTHING, INSERT, UPDATE, DELETE };
enum { ACT_INSERT, ACT_REPLACE, ACT_PATCH, ACT_MARK, ACT_DELETE, ACT_REMOVE, ACT_REMOVE_PRESENT, ACT_FIND_ABSENT, ACT_LEAVE };
enum { STOP_ALL, STOP_STRANGE, STOP_FULL, STOP_BAD, STOP_NO_MEMORY, STOP_RAISED };
enum { SIFT_LEAVES, SIFT_PASSES, SIFT_STRANGE, SIFT_RAISED };
enum { MASK_DONE, MASK_STRANGE, MASK_RAISED };
enum { URLENCODED, JSON, VALUES, CHANGES, CONDITIONS, EITHER, UNREAD };
enum { SPELLINGS = 3 };

/* As Dial in moment.py. */
enum { WRITTEN, ZONED, SECONDS, MILLISECONDS };

typedef struct {
    const char *text;
    size_t size;
} Text;

typedef struct {
    char *text;
    size_t size, room;
} Buffer;

/* How the text of a value is to be read. */
typedef enum { ABSENT, SQL_NULL, PLAIN, COPIED, PERCENT, JSON_STRING, SQL_STRING, SQL_ESCAPED } Kind;

typedef struct {
    const char *text;
    size_t size;
    Kind kind;
} Value;

typedef struct {
    Text type, table;
    int deed, writing;
    Text *given; /* of the given columns that are OF_PREFIX */
} Prefix;

typedef struct {
    Text names[SPELLINGS];
    int loaded;
} Column;

/* What lines are like; see Description in folded.py. */
typedef struct {
    size_t first, prefix_count, column_count, key_count, loaded_count, least, given_count, of_prefix_count;
    size_t sifted_count, masked_count;
    Prefix *prefixes;
    long *given; /* of each given column, the field that holds it, or OF_PREFIX */
    Column *columns;
    size_t *key;
    int *in_key; /* of each column */
    size_t *sifted, *masked; /* columns that `sift` looks at, and that `mask` masks */
    long part, mark;
    int replaces, dial, apart;
} Description;

/* values.c: returns the end of what was written, or NULL if the value is malformed. */
void prepare_values(void);
char *write_value(const Value *value, char *to, int escape);
int is_sound(const Value *value);
size_t room_of(const Value *value);
int write_in_order(const Description *d, Text data, Value *values, Buffer *row);

/* A row on its way to values; columns are expected to come in their order. */
typedef struct {
    const Description *d;
    int spelling;
    size_t expected;
    const char *at, *end;
} Reader;

int is_space(char byte);
int past(Reader *reader, const char *expected, size_t size);
Value *value_of(Reader *reader, Value *values, const char *name, size_t size);

/* moment.c */
int tell_second(const char *text, size_t size, int dial, int64_t *second);

/* json.c */
int scan_json(Reader *reader, Value *values);

/* scan.c: split a row into the values of its columns, all ABSENT before but given ones; returns whether it has known
 * columns. Of CHANGES, the key goes to `where`. */
int scan_row(const Description *d, Text text, int writing, Value *values, Value *where);
int chosen(Text text, int writing);
int unescape_copy(Text *text, Buffer *scratch);
int make_room(Buffer *buffer, size_t more);

/* Seconds that lie in one period; see PureFold.allow. */
typedef struct {
    int64_t start, end;
    int period, rows;
} Stretch;

/* rows.c */
typedef struct {
    uint32_t hash, key_size, row_size, row_room;
    size_t key, row; /* in the arena */
    int16_t period, removed; /* numbers; removed: -1 if it was neither removed, nor marked before it came back */
    int16_t columns;      /* number of the set of columns */
    uint8_t is_there;
    uint8_t first;        /* what is done to it if it is gone; ACT_MARK: what is done first */
} Row;

typedef struct {
    uint64_t *bits;
    size_t count;
} Set;

typedef struct {
    int act, period, columns;
    size_t count, start; /* in `members` */
} Group;

typedef struct Fold Fold;

struct Fold {
    Description described;
    size_t set_words;
    uint64_t seed;
    Buffer arena;
    Row *rows;
    size_t row_count, row_room;
    uint32_t *slots; /* of the hash table: number of a row plus 1, 0 if free */
    size_t slot_count;
    Set sets[MAX_GROUPS];
    size_t set_count;
    Stretch *stretches; /* in their order */
    size_t stretch_count, stretch_room, last_stretch;
    /* Of the present line. */
    Value *values, *where, *before;
    Buffer scratch, old_scratch, key, old_key, row, merged;
    uint64_t *set, *whole_set; /* of columns: those of the line, and all */
    size_t *taken, *ignored; /* of each prefix */
    size_t last_prefix;
    /* Of the present groups. */
    Group *groups;
    size_t group_count, group_room;
    uint32_t *members; /* numbers of rows, group by group */
    int (*mask)(Fold *); /* puts masked values in place of the present ones; NULL: none is masked */
    int (*sift)(Fold *); /* whether the present values are those of a row that is loaded; NULL: all are */
};

#define NO_ROW UINT32_MAX
int add_stretch(Fold *fold, const Stretch *stretch);
const Stretch *find_stretch(Fold *fold, int64_t second);
int number_of_set(Fold *fold);
uint32_t hash_of(const Fold *fold, const Buffer *key);
uint32_t find_row(const Fold *fold, const Buffer *key, uint32_t hash);
Row *new_row(Fold *fold, const Buffer *key, uint32_t hash, int is_keyed);
int store(Fold *fold, Row *row, const Buffer *text, int set, int period);
int go(Row *row);
void clear_rows(Fold *fold);
void free_rows(Fold *fold);
size_t size_of(const Fold *fold);
int has_column(const Fold *fold, int set, size_t column);

/* lines.c */
int take_line(Fold *fold, const char *line, const char *end);

/* groups.c */
int make_groups(Fold *fold);
void free_groups(Fold *fold);

/* How a group's rows are written. */
typedef struct {
    const size_t *picked; /* numbers of columns */
    size_t picked_count;
    Text prefix; /* of each line */
} Layout;

size_t text_size(const Fold *fold, const Group *group, const Layout *layout);
char *write_group(const Fold *fold, const Group *group, const Layout *layout, char *to);

#endif
