/* What rows have in common, and their text in order. */

#include "fold.h"

#include <stdlib.h>
#include <string.h>

#define NO_GROUP UINT32_MAX

/* Two for each row at most. */
typedef struct {
    uint32_t *slots; /* number of a group plus 1, 0 if free */
    size_t slot_count;
    uint32_t *of_row; /* numbers of groups, two for each row */
} Table;

static size_t slot_of(const Table *table, int act, int period, int columns)
{
    uint64_t hash = ((uint64_t)act << 40 ^ (uint64_t)(uint32_t)period << 20 ^ (uint32_t)columns) * 0x9E3779B97F4A7C15u;
    return (size_t)(hash >> 32) & (table->slot_count - 1);
}

static int grow(Fold *fold, Table *table)
{
    size_t count = table->slot_count ? 2 * table->slot_count : 256;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (slots == NULL)
        return 0;
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    for (size_t i = 0; i < fold->group_count; i++) {
        const Group *group = &fold->groups[i];
        size_t slot = slot_of(table, group->act, group->period, group->columns);
        while (slots[slot])
            slot = (slot + 1) & (count - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    return 1;
}

/* Number of the group of an act, period and set of columns, counted up; NO_GROUP without memory. */
static uint32_t join(Fold *fold, Table *table, int act, int period, int columns)
{
    if (2 * fold->group_count >= table->slot_count && !grow(fold, table))
        return NO_GROUP;
    size_t slot = slot_of(table, act, period, columns);
    for (; table->slots[slot]; slot = (slot + 1) & (table->slot_count - 1)) {
        Group *group = &fold->groups[table->slots[slot] - 1];
        if (group->act == act && group->period == period && group->columns == columns) {
            group->count++;
            return table->slots[slot] - 1;
        }
    }
    if (fold->group_count == fold->group_room) {
        size_t room = fold->group_room ? 2 * fold->group_room : 64;
        Group *groups = realloc(fold->groups, room * sizeof *groups);
        if (groups == NULL)
            return NO_GROUP;
        fold->groups = groups;
        fold->group_room = room;
    }
    fold->groups[fold->group_count] = (Group){act, period, columns, 1, 0};
    table->slots[slot] = (uint32_t)++fold->group_count;
    return (uint32_t)fold->group_count - 1;
}

/* The groups of a row: what removes it, if anything, and what writes it; returns 0 without memory. */
static int join_row(Fold *fold, Table *table, size_t number)
{
    const Row *row = &fold->rows[number];
    uint32_t *of_row = &table->of_row[2 * number];
    of_row[0] = of_row[1] = NO_GROUP;
    int is_new = row->first == ACT_FIND_ABSENT;
    if (row->first == ACT_MARK) {
        int is_back = row->removed >= 0, period = is_back ? row->removed : row->period;
        return (of_row[0] = join(fold, table, ACT_MARK, period, row->columns)) != NO_GROUP
               && (!is_back || (of_row[1] = join(fold, table, ACT_REPLACE, row->period, row->columns)) != NO_GROUP);
    }
    if (is_new && !row->is_there)
        return (of_row[0] = join(fold, table, ACT_FIND_ABSENT, row->period, -1)) != NO_GROUP;
    if (!is_new && row->removed >= 0 && (of_row[0] = join(fold, table, row->first, row->removed, -1)) == NO_GROUP)
        return 0;
    if (!row->is_there)
        return 1;
    int act = is_new || row->removed >= 0 ? ACT_INSERT : row->first == ACT_REMOVE ? ACT_REPLACE : ACT_PATCH;
    return (of_row[1] = join(fold, table, act, row->period, row->columns)) != NO_GROUP;
}

typedef struct {
    const char *key;
    uint32_t size, number;
} Named;

static int compare(const void *one, const void *other)
{
    const Named *a = one, *b = other;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return memcmp(a->key, b->key, a->size);
}

/* Sort the rows of a group by their keys, shorter ones first: numbers come in their order. */
static int sort_group(Fold *fold, const Group *group)
{
    uint32_t *members = fold->members + group->start;
    Named *named = malloc(group->count * sizeof *named);
    int is_sorted = 1;
    if (named == NULL)
        return 0;
    for (size_t i = 0; i < group->count; i++) {
        const Row *row = &fold->rows[members[i]];
        named[i] = (Named){fold->arena.text + row->key, row->key_size, members[i]};
        is_sorted = is_sorted && (i == 0 || compare(&named[i - 1], &named[i]) <= 0);
    }
    if (!is_sorted)
        qsort(named, group->count, sizeof *named, compare);
    for (size_t i = 0; i < group->count; i++)
        members[i] = named[i].number;
    free(named);
    return 1;
}

static int gather(Fold *fold, const Table *table)
{
    size_t total = 0;
    for (size_t i = 0; i < fold->group_count; i++) {
        fold->groups[i].start = total;
        total += fold->groups[i].count;
        fold->groups[i].count = 0;
    }
    free(fold->members);
    fold->members = malloc((total + 1) * sizeof *fold->members);
    if (fold->members == NULL)
        return 0;
    for (size_t i = 0; i < 2 * fold->row_count; i++)
        if (table->of_row[i] != NO_GROUP) {
            Group *group = &fold->groups[table->of_row[i]];
            fold->members[group->start + group->count++] = (uint32_t)(i / 2);
        }
    for (size_t i = 0; i < fold->group_count; i++)
        if (fold->groups[i].act != ACT_INSERT && !sort_group(fold, &fold->groups[i]))
            return 0;
    return 1;
}

/* Put all rows into groups; returns 0 without memory. */
int make_groups(Fold *fold)
{
    Table table = {NULL, 0, malloc((2 * fold->row_count + 1) * sizeof(uint32_t))};
    int is_done = table.of_row != NULL;
    fold->group_count = 0;
    for (size_t i = 0; is_done && i < fold->row_count; i++)
        is_done = join_row(fold, &table, i);
    is_done = is_done && gather(fold, &table);
    free(table.slots);
    free(table.of_row);
    return is_done;
}

void free_groups(Fold *fold)
{
    free(fold->groups);
    free(fold->members);
}

/* Most bytes of a group's text. */
size_t text_size(const Fold *fold, const Group *group, const Layout *layout)
{
    size_t size = group->count * layout->prefix.size;
    for (size_t i = 0; i < group->count; i++) {
        const Row *row = &fold->rows[fold->members[group->start + i]];
        size += (group->columns < 0 ? row->key_size : row->row_size) + 1;
    }
    return size;
}

static char *write_picked(const char *text, size_t size, const size_t *places, size_t count, Text *values, char *to)
{
    const char *end = text + size;
    for (size_t number = 0; text <= end; number++) {
        const char *stop = text < end ? memchr(text, '\t', (size_t)(end - text)) : NULL;
        stop = stop ? stop : end;
        values[number] = (Text){text, (size_t)(stop - text)};
        text = stop + 1;
    }
    for (size_t i = 0; i < count; i++) {
        const Text *value = &values[places[i]];
        if (i)
            *to++ = '\t';
        memcpy(to, value->text, value->size);
        to += value->size;
    }
    return to;
}

/* Write a group's rows, of each the columns picked, each once at most; returns the end, NULL without memory. */
char *write_group(const Fold *fold, const Group *group, const Layout *layout, char *to)
{
    const size_t *picked = layout->picked, picked_count = layout->picked_count;
    size_t width = group->columns < 0 ? 0 : fold->sets[group->columns].count;
    size_t *places = malloc((picked_count + 1) * sizeof *places);
    Text *values = malloc((width + 1) * sizeof *values);
    if (places == NULL || values == NULL)
        to = NULL;
    int is_all = group->columns < 0 || picked_count == width;
    for (size_t i = 0; to && group->columns >= 0 && i < picked_count; i++) {
        places[i] = 0;
        for (size_t column = 0; column < picked[i]; column++)
            places[i] += (size_t)has_column(fold, group->columns, column);
        is_all = is_all && places[i] == i;
    }
    for (size_t i = 0; to && i < group->count; i++) {
        const Row *row = &fold->rows[fold->members[group->start + i]];
        const char *text = fold->arena.text + (group->columns < 0 ? row->key : row->row);
        size_t size = group->columns < 0 ? row->key_size : row->row_size;
        memcpy(to, layout->prefix.text, layout->prefix.size);
        to += layout->prefix.size;
        if (is_all) {
            memcpy(to, text, size);
            to += size;
        } else
            to = write_picked(text, size, places, picked_count, values, to);
        *to++ = '\n';
    }
    free(places);
    free(values);
    return to;
}
