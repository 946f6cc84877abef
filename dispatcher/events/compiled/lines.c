/* Long: each step from a line to a row is a function.
 *
 * What lines do to rows; lines.py and purefold.py are the reference. */

#define _GNU_SOURCE
#include "fold.h"

#include <string.h>

static int is_null(Text field)
{
    return field.size == 0 || (field.size == 2 && memcmp(field.text, "\\N", 2) == 0);
}

typedef struct {
    int deed, removal, is_whole, is_written, rekeys, period, set;
    size_t loaded; /* columns, with given ones */
} Line;

/* Write what names the row; returns 0 if something of it is missing. */
static int write_key(const Description *d, const Value *values, Buffer *key)
{
    key->size = 0;
    for (size_t i = 0; i < d->key_count; i++) {
        const Value *value = &values[d->key[i]];
        if (value->kind <= SQL_NULL || !make_room(key, room_of(value) + 1))
            return 0;
        if (i)
            key->text[key->size++] = '\t';
        char *end = write_value(value, key->text + key->size, 1);
        if (end == NULL)
            return 0;
        key->size = (size_t)(end - key->text);
    }
    return 1;
}

/* Make room for the row; returns 0 if a value that is not loaded is malformed, or without memory. */
static int prepare_row(Fold *fold, const Line *line)
{
    const Description *d = &fold->described;
    size_t room = 0;
    for (size_t i = 0; i < d->column_count; i++) {
        const Value *value = &fold->values[i];
        if (d->columns[i].loaded && line->deed != DELETE)
            room += room_of(value) + 1;
        else if (value->kind != ABSENT && !is_sound(value))
            return 0;
    }
    fold->row.size = 0;
    return make_room(&fold->row, room + 1);
}

/* Write the row and tell its set of columns; returns 0 if a value is malformed. */
static int write_row(Fold *fold, Line *line)
{
    const Description *d = &fold->described;
    if (line->is_written)
        return 1;
    if (!prepare_row(fold, line))
        return 0;
    if (line->deed == DELETE)
        return 1;
    char *start = fold->row.text, *to = start;
    memset(fold->set, 0, fold->set_words * sizeof *fold->set);
    for (size_t i = 0; i < d->column_count; i++) {
        const Value *value = &fold->values[i];
        if (value->kind == ABSENT || !d->columns[i].loaded)
            continue;
        if (line->loaded++)
            *to++ = '\t';
        to = write_value(value, to, 1);
        if (to == NULL)
            return 0;
        fold->set[i / 64] |= (uint64_t)1 << i % 64;
    }
    fold->row.size = (size_t)(to - start);
    return 1;
}

/* The key of an update or delete of sqltriga joins the changed columns. */
static int join_key(Fold *fold)
{
    const Description *d = &fold->described;
    for (size_t i = 0; i < d->column_count; i++) {
        int is_told = fold->where[i].kind != ABSENT;
        if ((d->key_count && is_told != d->in_key[i]) || (is_told && fold->values[i].kind != ABSENT))
            return 0;
        if (is_told)
            fold->values[i] = fold->where[i];
    }
    return 1;
}

static int scan_field(Fold *fold, Text text, int writing, Value *values, Buffer *scratch)
{
    writing = chosen(text, writing);
    if (writing != URLENCODED && !unescape_copy(&text, scratch))
        return 0;
    return scan_row(&fold->described, text, writing, values, fold->where);
}

/* Read the row, its key, and its key before; returns 0 if the line is strange. */
static int read_row(Fold *fold, Line *line, int writing, Text data, Text old)
{
    const Description *d = &fold->described;
    line->is_whole = 1;
    if (writing == URLENCODED && (line->deed == INSERT || (line->deed == UPDATE && is_null(old)))
        && d->loaded_count == d->column_count && write_in_order(d, data, fold->values, &fold->row)) {
        line->is_written = 1;
        line->loaded = d->column_count;
        memcpy(fold->set, fold->whole_set, fold->set_words * sizeof *fold->set);
        return write_key(d, fold->values, &fold->key);
    }
    if (!scan_field(fold, data, writing, fold->values, &fold->scratch))
        return 0;
    if (writing == CHANGES && !is_null(old) && memmem(old.text, old.size, " where ", 7) == NULL) {
        if (!scan_row(d, old, URLENCODED, fold->before, NULL))
            return 0;
        for (size_t i = 0; i < d->column_count; i++) {
            if (d->key_count && (fold->where[i].kind != ABSENT) != d->in_key[i])
                return 0;
            if (fold->before[i].kind != ABSENT && !is_sound(&fold->before[i]))
                return 0;
            if (fold->values[i].kind == ABSENT)
                fold->values[i] = fold->before[i];
        }
        line->rekeys = 1;
    } else if (writing == CHANGES || writing == CONDITIONS) {
        line->is_whole = 0;
        if (!join_key(fold))
            return 0;
    } else if (!is_null(old) && (writing == JSON || (line->deed == UPDATE && writing != UNREAD))) {
        if (!scan_field(fold, old, writing, fold->before, &fold->old_scratch))
            return 0;
        for (size_t i = 0; i < d->column_count; i++)
            if (fold->before[i].kind != ABSENT && !is_sound(&fold->before[i]))
                return 0;
        line->rekeys = line->deed == UPDATE;
    }
    if (!write_key(d, fold->values, &fold->key))
        return 0;
    if (line->rekeys) {
        if (!write_key(d, fold->before, &fold->old_key))
            return 0;
        line->rekeys = fold->key.size != fold->old_key.size
                       || memcmp(fold->key.text, fold->old_key.text, fold->key.size) != 0;
    }
    return 1;
}

/* Find the row's period; returns a stop. */
static int find_period(Fold *fold, Line *line, Text time)
{
    char moment[12 * MAX_MOMENT];
    const Description *d = &fold->described;
    int is_sure = 0, may_be_anywhere = line->deed == DELETE && !d->apart;
    int64_t second;
    line->period = 0;
    if (d->part == NOT_PARTITIONED || (d->part == BY_EVENT_TIME && may_be_anywhere))
        return STOP_ALL;
    if (d->part == BY_EVENT_TIME)
        is_sure = tell_second(time.text, time.size, d->dial, &second);
    else {
        const Value *value = &fold->values[d->part];
        if (value->kind == ABSENT && !line->is_whole)
            return d->apart ? STOP_STRANGE : STOP_ALL;
        if (!line->is_whole && !d->in_key[d->part])
            return STOP_STRANGE;
        if (value->kind > SQL_NULL && value->size <= 6 * MAX_MOMENT) {
            char *end = write_value(value, moment, 0);
            if (end == NULL)
                return STOP_STRANGE;
            is_sure = tell_second(moment, (size_t)(end - moment), d->dial, &second);
        }
    }
    if (!is_sure)
        return may_be_anywhere ? STOP_ALL : STOP_STRANGE;
    const Stretch *stretch = find_stretch(fold, second);
    if (stretch == NULL || !(stretch->rows || line->deed == DELETE))
        return STOP_STRANGE;
    line->period = stretch->period;
    return STOP_ALL;
}

static int merge_columns(Fold *fold, Row *row, Line *line)
{
    const char *before = fold->arena.text + row->row, *before_end = before + row->row_size;
    const char *after = fold->row.text, *after_end = after + fold->row.size;
    Buffer *merged = &fold->merged;
    merged->size = 0;
    if (!make_room(merged, row->row_size + fold->row.size + 2))
        return STOP_NO_MEMORY;
    char *to = merged->text;
    int is_first = 1;
    for (size_t i = 0; i < fold->described.column_count; i++) {
        const char *value = NULL, *end = NULL;
        if (has_column(fold, row->columns, i)) {
            value = before;
            end = memchr(before, '\t', (size_t)(before_end - before));
            end = end ? end : before_end;
            before = end + 1;
        }
        if (has_column(fold, line->set, i)) {
            value = after;
            end = memchr(after, '\t', (size_t)(after_end - after));
            end = end ? end : after_end;
            after = end + 1;
        }
        if (value == NULL)
            continue;
        if (!is_first)
            *to++ = '\t';
        is_first = 0;
        memcpy(to, value, (size_t)(end - value));
        to += end - value;
    }
    merged->size = (size_t)(to - merged->text);
    for (size_t i = 0; i < fold->set_words; i++)
        fold->set[i] = fold->sets[row->columns].bits[i] | fold->sets[line->set].bits[i];
    int set = number_of_set(fold);
    if (set < 0)
        return set == -1 ? STOP_FULL : STOP_NO_MEMORY;
    return store(fold, row, merged, set, row->period);
}

/* A row is added that was removed. */
static int return_row(Fold *fold, Row *row, const Line *line)
{
    if (row->first == ACT_FIND_ABSENT ? line->period != row->period : !fold->described.replaces)
        return STOP_FULL;
    return store(fold, row, &fold->row, line->set, line->period);
}

/* Say when a row was deleted. */
static int mark_row(Fold *fold, Line *line)
{
    uint32_t hash = hash_of(fold, &fold->key), number = find_row(fold, &fold->key, hash);
    if (number != NO_ROW) {
        Row *row = &fold->rows[number];
        if ((row->first == ACT_MARK && row->removed < 0) || (line->period && line->period != row->period))
            return STOP_FULL;
        return merge_columns(fold, row, line);
    }
    Row *row = new_row(fold, &fold->key, hash, 1);
    if (row == NULL)
        return STOP_NO_MEMORY;
    row->first = ACT_MARK;
    return store(fold, row, &fold->row, line->set, line->period);
}

static int change_row(Fold *fold, Line *line, int *is_ignored)
{
    uint32_t hash = hash_of(fold, &fold->key), number = find_row(fold, &fold->key, hash);
    if (number != NO_ROW && fold->described.apart && fold->rows[number].period != line->period)
        return STOP_FULL;
    Row *row = number == NO_ROW ? new_row(fold, &fold->key, hash, 1) : &fold->rows[number];
    if (row == NULL)
        return STOP_NO_MEMORY;
    if (line->deed == DELETE) {
        if (number != NO_ROW)
            *is_ignored = !go(row);
        else {
            row->first = (uint8_t)line->removal;
            row->period = row->removed = (int16_t)line->period;
        }
        return STOP_ALL;
    }
    if (number == NO_ROW) {
        row->first = !line->is_whole ? ACT_REMOVE_PRESENT : line->deed == INSERT ? ACT_FIND_ABSENT : ACT_REMOVE;
        return store(fold, row, &fold->row, line->set, line->period);
    }
    if (!row->is_there)
        return line->is_whole ? return_row(fold, row, line) : STOP_BAD;
    if (line->deed == INSERT)
        return row->first == ACT_MARK && row->removed < 0 ? STOP_FULL : STOP_BAD;
    if (row->first == ACT_MARK && row->removed < 0) {
        if (!line->is_whole)
            return STOP_FULL;
        row->removed = row->period;
        return store(fold, row, &fold->row, line->set, line->period);
    }
    if (line->period != row->period && (line->period || line->is_whole))
        return STOP_FULL;
    if (line->set == row->columns)
        return store(fold, row, &fold->row, line->set, row->period);
    return merge_columns(fold, row, line);
}

/* Mask the row; returns a stop. */
static int mask_line(Fold *fold, Line *line)
{
    const Description *d = &fold->described;
    if (fold->mask == NULL)
        return STOP_ALL;
    if (line->is_whole && line->deed != DELETE)
        for (size_t i = 0; i < d->masked_count; i++)
            if (fold->values[d->masked[i]].kind == ABSENT)
                return STOP_STRANGE;
    if (line->is_written) {
        /* Other values are parts of the row that was written; it is written again, elsewhere. */
        Buffer row = fold->row;
        fold->row = fold->merged;
        fold->merged = row;
        line->is_written = 0;
        line->loaded = 0;
    }
    int result = fold->mask(fold);
    if (result == MASK_RAISED)
        return STOP_RAISED;
    return result == MASK_DONE && write_key(d, fold->values, &fold->key) ? STOP_ALL : STOP_STRANGE;
}

/* See whether the row is loaded after the line; returns a stop. An update that leaves it out removes it. */
static int sift_line(Fold *fold, Line *line, int *is_ignored)
{
    if (fold->sift == NULL || line->deed == DELETE)
        return STOP_ALL;
    int found = fold->sift(fold);
    if (found == SIFT_LEAVES) {
        *is_ignored = line->deed == INSERT;
        line->deed = DELETE;
        line->removal = ACT_LEAVE;
        return *is_ignored && !write_row(fold, line) ? STOP_STRANGE : STOP_ALL;
    }
    return found == SIFT_PASSES ? STOP_ALL : found == SIFT_STRANGE ? STOP_STRANGE : STOP_RAISED;
}

/* Let a line that deletes a row be a change of given columns; returns 0 if another value is malformed. */
static int leave_marks(Fold *fold, Line *line)
{
    const Description *d = &fold->described;
    for (size_t i = d->given_count; i < d->column_count; i++) {
        if (d->in_key[i])
            continue;
        if (fold->values[i].kind != ABSENT && !is_sound(&fold->values[i]))
            return 0;
        fold->values[i].kind = ABSENT;
    }
    line->deed = UPDATE;
    line->is_whole = 0;
    return 1;
}

static int do_line(Fold *fold, Line *line, Text time, int *is_ignored)
{
    const Description *d = &fold->described;
    int end = find_period(fold, line, time);
    if (end != STOP_ALL)
        return end;
    int marks = line->deed == DELETE && d->mark != NO_MARK;
    if (marks && !leave_marks(fold, line))
        return STOP_STRANGE;
    if (!write_row(fold, line)
        || (line->is_whole && line->deed != DELETE && line->loaded < d->least + d->given_count))
        return STOP_STRANGE;
    if (line->deed != DELETE) {
        if (!marks && !line->is_whole && line->loaded == d->key_count + d->given_count) {
            *is_ignored = 1;
            return STOP_ALL;
        }
        line->set = number_of_set(fold);
        if (line->set < 0)
            return line->set == -1 ? STOP_FULL : STOP_NO_MEMORY;
    }
    if (marks)
        return mark_row(fold, line);
    if (d->key_count)
        return line->rekeys ? STOP_STRANGE : change_row(fold, line, is_ignored);
    Row *row = new_row(fold, &fold->key, 0, 0);
    if (row == NULL)
        return STOP_NO_MEMORY;
    row->first = ACT_FIND_ABSENT;
    return store(fold, row, &fold->row, line->set, line->period);
}

static int find_prefix(Fold *fold, Text type, Text table)
{
    const Description *d = &fold->described;
    for (size_t tried = 0; tried < d->prefix_count; tried++) {
        size_t number = (fold->last_prefix + tried) % d->prefix_count;
        const Prefix *prefix = &d->prefixes[number];
        if (prefix->type.size == type.size && prefix->table.size == table.size
            && memcmp(prefix->type.text, type.text, type.size) == 0
            && memcmp(prefix->table.text, table.text, table.size) == 0)
            return (int)(fold->last_prefix = number);
    }
    return -1;
}

/* Let the columns that are not of the data have their values; returns 0 if one is not as it would be written. */
static int take_given(Fold *fold, const Prefix *prefix, const Text *fields)
{
    const Description *d = &fold->described;
    const Text *of_prefix = prefix->given;
    for (size_t i = 0; i < d->given_count; i++) {
        const Text *text = d->given[i] == OF_PREFIX ? of_prefix++ : &fields[d->given[i]];
        if (d->given[i] != OF_PREFIX && (text->size != 2 || memcmp(text->text, "\\N", 2) != 0)
            && (memchr(text->text, '\\', text->size) || memchr(text->text, '\r', text->size)))
            return 0;
        fold->values[i] = (Value){text->text, text->size, COPIED};
        if ((long)i == d->mark && prefix->deed != DELETE)
            fold->values[i] = (Value){"\\N", 2, COPIED};
    }
    return 1;
}

/* Take a line, without its newline; returns a stop. */
int take_line(Fold *fold, const char *line, const char *end)
{
    Text fields[MAX_FIELDS];
    size_t first = fold->described.first, count = 0;
    while (count < first + 4 && line <= end) {
        const char *stop = line;
        if (count == first + 1) {
            stop = line < end ? memchr(line, '\t', (size_t)(end - line)) : NULL;
            stop = stop ? stop : end;
        } else
            while (stop < end && *stop != '\t')
                stop++;
        fields[count++] = (Text){line, (size_t)(stop - line)};
        line = stop + 1;
    }
    if (count < first + 3)
        return STOP_STRANGE;
    Text data = fields[first + 1], old = count > first + 3 ? fields[first + 3] : (Text){"", 0};
    int number = find_prefix(fold, fields[first], fields[first + 2]);
    if (number < 0)
        return STOP_STRANGE;
    const Prefix *prefix = &fold->described.prefixes[number];
    Line taken = {.deed = prefix->deed, .removal = ACT_DELETE, .is_whole = 1};
    int is_ignored = 0;
    if (prefix->deed == NOTHING && (prefix->writing == URLENCODED || prefix->writing == UNREAD)) {
        Value value = {data.text, data.size, PERCENT};
        if (prefix->writing == URLENCODED && !is_sound(&value))
            return STOP_STRANGE;
    } else {
        if (!take_given(fold, prefix, fields) || !read_row(fold, &taken, prefix->writing, data, old))
            return STOP_STRANGE;
        if (prefix->deed != NOTHING) {
            int result = mask_line(fold, &taken);
            if (result == STOP_ALL)
                result = sift_line(fold, &taken, &is_ignored);
            if (result == STOP_ALL && !is_ignored)
                result = do_line(fold, &taken, fields[1], &is_ignored);
            if (result != STOP_ALL)
                return result;
        } else if (!write_row(fold, &taken))
            return STOP_STRANGE;
    }
    fold->taken[number]++;
    fold->ignored[number] += (size_t)is_ignored;
    return STOP_ALL;
}
