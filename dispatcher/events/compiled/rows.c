/* Rows by their keys, with the periods and sets of columns that they have. */

#include "fold.h"

#include <stdlib.h>
#include <string.h>

int has_column(const Fold *fold, int set, size_t column)
{
    return (int)(fold->sets[set].bits[column / 64] >> column % 64 & 1);
}

size_t size_of(const Fold *fold)
{
    /* With two slots and two places in groups for each row. */
    return fold->arena.size + fold->row_count * (sizeof(Row) + 4 * sizeof(uint32_t));
}

void clear_rows(Fold *fold)
{
    fold->arena.size = 0;
    fold->row_count = 0;
    if (fold->slot_count)
        memset(fold->slots, 0, fold->slot_count * sizeof *fold->slots);
    fold->set_count = 0;
}

void free_rows(Fold *fold)
{
    free(fold->arena.text);
    free(fold->rows);
    free(fold->slots);
    free(fold->stretches);
    for (size_t i = 0; i < MAX_GROUPS; i++)
        free(fold->sets[i].bits);
    Buffer *buffers[] = {&fold->scratch, &fold->old_scratch, &fold->key, &fold->old_key, &fold->row, &fold->merged};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        free(buffers[i]->text);
}

/* Periods and sets of columns. */

/* Index of the first stretch that begins later. */
static size_t after(const Fold *fold, int64_t second)
{
    size_t low = 0, high = fold->stretch_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (fold->stretches[middle].start <= second)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Know a stretch, or what has changed of one; returns 0 without memory. */
int add_stretch(Fold *fold, const Stretch *stretch)
{
    size_t at = after(fold, stretch->start);
    fold->last_stretch = 0;
    if (at && fold->stretches[at - 1].start == stretch->start) {
        fold->stretches[at - 1] = *stretch;
        return 1;
    }
    if (fold->stretch_count == fold->stretch_room) {
        size_t room = fold->stretch_room ? 2 * fold->stretch_room : 64;
        Stretch *stretches = realloc(fold->stretches, room * sizeof *stretches);
        if (stretches == NULL)
            return 0;
        fold->stretches = stretches;
        fold->stretch_room = room;
    }
    memmove(fold->stretches + at + 1, fold->stretches + at, (fold->stretch_count - at) * sizeof *stretch);
    fold->stretches[at] = *stretch;
    fold->stretch_count++;
    return 1;
}

/* The stretch that has a second; NULL: none is known. */
const Stretch *find_stretch(Fold *fold, int64_t second)
{
    const Stretch *found = fold->stretches + fold->last_stretch;
    if (fold->stretch_count && found->start <= second && second < found->end)
        return found;
    size_t at = after(fold, second);
    if (at == 0 || second >= fold->stretches[at - 1].end)
        return NULL;
    fold->last_stretch = at - 1;
    return &fold->stretches[at - 1];
}

/* Number of the set of columns that fold->set is; -1: there is no room for it, -2: no memory. */
int number_of_set(Fold *fold)
{
    size_t bytes = fold->set_words * sizeof(uint64_t);
    for (size_t number = 0; number < fold->set_count; number++)
        if (memcmp(fold->sets[number].bits, fold->set, bytes) == 0)
            return (int)number;
    if (fold->set_count == MAX_GROUPS)
        return -1;
    Set *set = &fold->sets[fold->set_count];
    if (set->bits == NULL && (set->bits = malloc(bytes)) == NULL)
        return -2;
    memcpy(set->bits, fold->set, bytes);
    set->count = 0;
    for (size_t i = 0; i < fold->set_words; i++)
        set->count += (size_t)__builtin_popcountll(set->bits[i]);
    return (int)fold->set_count++;
}

/* The table of rows by key. */

static uint64_t mixed(uint64_t one, uint64_t other)
{
    unsigned __int128 product = (unsigned __int128)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded, so that nobody can choose keys that share a slot. */
uint32_t hash_of(const Fold *fold, const Buffer *key)
{
    uint64_t hash = fold->seed ^ key->size, word;
    size_t at = 0;
    for (; key->size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, key->text + at, sizeof word);
        hash = mixed(hash ^ word, fold->seed | 1);
    }
    word = 0;
    if (key->size > at)
        memcpy(&word, key->text + at, key->size - at);
    return (uint32_t)(mixed(hash ^ word, fold->seed | 1) >> 16);
}

/* Number of the row of a key; NO_ROW: there is none. */
uint32_t find_row(const Fold *fold, const Buffer *key, uint32_t hash)
{
    if (fold->slot_count == 0)
        return NO_ROW;
    size_t mask = fold->slot_count - 1;
    for (size_t slot = hash & mask; fold->slots[slot]; slot = (slot + 1) & mask) {
        const Row *row = &fold->rows[fold->slots[slot] - 1];
        if (row->hash == hash && row->key_size == key->size
            && memcmp(fold->arena.text + row->key, key->text, key->size) == 0)
            return fold->slots[slot] - 1;
    }
    return NO_ROW;
}

static int grow_slots(Fold *fold)
{
    size_t count = fold->slot_count ? 2 * fold->slot_count : 1024, mask = count - 1;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (slots == NULL)
        return 0;
    for (size_t i = 0; i < fold->row_count; i++) {
        size_t slot = fold->rows[i].hash & mask;
        while (slots[slot])
            slot = (slot + 1) & mask;
        slots[slot] = (uint32_t)i + 1;
    }
    free(fold->slots);
    fold->slots = slots;
    fold->slot_count = count;
    return 1;
}

/* A new row of a key; NULL without memory. */
Row *new_row(Fold *fold, const Buffer *key, uint32_t hash, int is_keyed)
{
    if (fold->row_count == fold->row_room) {
        size_t room = fold->row_room ? fold->row_room + fold->row_room / 2 : 1024;
        Row *rows = realloc(fold->rows, room * sizeof *rows);
        if (rows == NULL)
            return NULL;
        fold->rows = rows;
        fold->row_room = room;
    }
    if (is_keyed && 2 * fold->row_count >= fold->slot_count && !grow_slots(fold))
        return NULL;
    if (!make_room(&fold->arena, key->size + 1))
        return NULL;
    Row *row = &fold->rows[fold->row_count++];
    memset(row, 0, sizeof *row);
    row->hash = hash;
    row->removed = -1;
    row->key = fold->arena.size;
    row->key_size = (uint32_t)key->size;
    if (key->size)
        memcpy(fold->arena.text + fold->arena.size, key->text, key->size);
    fold->arena.size += key->size;
    if (is_keyed) {
        size_t mask = fold->slot_count - 1, slot = hash & mask;
        while (fold->slots[slot])
            slot = (slot + 1) & mask;
        fold->slots[slot] = (uint32_t)fold->row_count;
    }
    return row;
}

/* Let a row be there, with this text; returns a stop. */
int store(Fold *fold, Row *row, const Buffer *text, int set, int period)
{
    if (text->size > row->row_room) {
        size_t room = (text->size + 15) & ~(size_t)15;
        if (!make_room(&fold->arena, room))
            return STOP_NO_MEMORY;
        row->row = fold->arena.size;
        row->row_room = (uint32_t)room;
        fold->arena.size += room;
    }
    if (text->size)
        memcpy(fold->arena.text + row->row, text->text, text->size);
    row->row_size = (uint32_t)text->size;
    row->columns = (int16_t)set;
    row->period = (int16_t)period;
    row->is_there = 1;
    return STOP_ALL;
}

/* Let a row be gone; returns whether it was there. */
int go(Row *row)
{
    if (!row->is_there)
        return 0;
    row->is_there = 0;
    if (row->removed < 0)
        row->removed = row->period;
    return 1;
}
