/* Rows as triggers write them, split into the values of known columns; scan.py is the reference. */

#include "fold.h"

#include <stdlib.h>
#include <string.h>

int make_room(Buffer *buffer, size_t more)
{
    if (buffer->room - buffer->size >= more)
        return 1;
    size_t room = buffer->room + buffer->room / 2;
    if (room < buffer->size + more)
        room = buffer->size + more + 256;
    char *text = realloc(buffer->text, room);
    if (text == NULL)
        return 0;
    buffer->text = text;
    buffer->room = room;
    return 1;
}

/* Undo what COPY TO has escaped, if anything; returns 0 without memory. */
int unescape_copy(Text *text, Buffer *scratch)
{
    const char *from = text->text, *end = from + text->size;
    if (memchr(from, '\\', text->size) == NULL)
        return 1;
    scratch->size = 0;
    if (!make_room(scratch, text->size))
        return 0;
    char *to = scratch->text;
    while (from < end) {
        char byte = *from++;
        if (byte == '\\' && from < end) {
            static const char names[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
            byte = *from++;
            const char *found = byte ? strchr(names, byte) : NULL;
            if (found)
                byte = bytes[found - names];
        }
        *to++ = byte;
    }
    text->text = scratch->text;
    text->size = (size_t)(to - scratch->text);
    return 1;
}

int is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* How a text is written, if that can be either. */
int chosen(Text text, int writing)
{
    if (writing != EITHER)
        return writing;
    while (text.size && is_space(*text.text))
        text.text++, text.size--;
    return text.size && *text.text == '{' ? JSON : URLENCODED;
}

/* The value of a column that is given for the first time; NULL if the name is not known, or given again. */
Value *value_of(Reader *reader, Value *values, const char *name, size_t size)
{
    const Description *d = reader->d;
    for (size_t tried = 0; tried < d->column_count; tried++) {
        size_t number = reader->expected + tried;
        if (number >= d->column_count)
            number -= d->column_count;
        const Text *known = &d->columns[number].names[reader->spelling];
        if (known->size == size && size && memcmp(known->text, name, size) == 0) {
            reader->expected = number + 1 < d->column_count ? number + 1 : d->given_count;
            return values[number].kind == ABSENT ? &values[number] : NULL;
        }
    }
    return NULL;
}

/* Go past what is expected; returns whether it was there. */
int past(Reader *reader, const char *expected, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, expected, size) != 0)
        return 0;
    reader->at += size;
    return 1;
}

static int scan_urlencoded(Reader *reader, Value *values)
{
    const char *end = reader->end;
    for (;;) {
        const char *name = reader->at, *stop = name;
        while (stop < end && *stop != '=' && *stop != '&')
            stop++;
        Value *value = value_of(reader, values, name, (size_t)(stop - name));
        if (value == NULL)
            return 0;
        value->kind = SQL_NULL;
        if (stop < end && *stop == '=') {
            value->kind = PERCENT;
            value->text = ++stop;
            stop = memchr(stop, '&', (size_t)(end - stop));
            if (stop == NULL)
                stop = end;
            value->size = (size_t)(stop - value->text);
        }
        if (stop == end)
            return 1;
        reader->at = stop + 1;
    }
}

static int is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || (byte & 0x80);
}

static int scan_sql_name(Reader *reader, Text *name)
{
    const char *at = reader->at, *end = reader->end;
    name->text = at;
    if (at < end && *at == '"') {
        for (at++; at < end && (*at != '"' || (end - at > 1 && at[1] == '"')); at++)
            if (*at == '"')
                at++;
        if (at >= end || at == name->text + 1)
            return 0;
        at++;
    } else {
        if (at == end || !is_letter(*at))
            return 0;
        while (at < end && (is_letter(*at) || (*at >= '0' && *at <= '9') || *at == '$'))
            at++;
    }
    name->size = (size_t)(at - name->text);
    reader->at = at;
    return 1;
}

static int scan_sql_value(Reader *reader, Value *value)
{
    if (past(reader, "null", 4) || past(reader, "NULL", 4)) {
        value->kind = SQL_NULL;
        return 1;
    }
    int has_escapes = past(reader, "E", 1);
    if (!past(reader, "'", 1))
        return 0;
    const char *at = reader->at, *end = reader->end;
    value->text = at;
    value->kind = has_escapes ? SQL_ESCAPED : PLAIN;
    for (; at < end; at++) {
        if (*at == '\'') {
            if (end - at < 2 || at[1] != '\'')
                break;
            if (!has_escapes)
                value->kind = SQL_STRING;
            at++;
        } else if (*at == '\\' && has_escapes)
            at++;
    }
    if (at >= end)
        return 0;
    value->size = (size_t)(at - value->text);
    reader->at = at + 1;
    return 1;
}

static int scan_insert(Reader *reader, Value *values)
{
    Reader names = *reader;
    Text name;
    size_t count = 0;
    if (!past(reader, "(", 1))
        return 0;
    names.at = reader->at;
    do {
        if (!scan_sql_name(reader, &name))
            return 0;
        count++;
    } while (past(reader, ",", 1));
    if (!past(reader, ") values (", 10))
        return 0;
    while (count--) {
        if (!scan_sql_name(&names, &name))
            return 0;
        names.at++;
        Value *value = value_of(&names, values, name.text, name.size);
        if (value == NULL || !scan_sql_value(reader, value) || !past(reader, count ? "," : ")", 1))
            return 0;
    }
    return reader->at == reader->end;
}

static int scan_pairs(Reader *reader, Value *values, const char *joint)
{
    do {
        Text name;
        if (!scan_sql_name(reader, &name))
            return 0;
        Value *value = value_of(reader, values, name.text, name.size);
        if (value == NULL || !past(reader, "=", 1) || !scan_sql_value(reader, value))
            return 0;
    } while (past(reader, joint, strlen(joint)));
    return 1;
}

int scan_row(const Description *d, Text text, int writing, Value *values, Value *where)
{
    Reader reader = {d, writing == URLENCODED ? 0 : writing == JSON ? 1 : 2, d->given_count, text.text, text.text + text.size};
    for (size_t i = d->given_count; i < d->column_count; i++)
        values[i].kind = ABSENT;
    switch (writing) {
    case URLENCODED:
        return scan_urlencoded(&reader, values);
    case JSON:
        return scan_json(&reader, values);
    case VALUES:
        return scan_insert(&reader, values);
    default:
        for (size_t i = 0; i < d->column_count; i++)
            where[i].kind = ABSENT;
        if (writing == CHANGES && (!scan_pairs(&reader, values, ",") || !past(&reader, " where ", 7)))
            return 0;
        return scan_pairs(&reader, where, " and ") && reader.at == reader.end;
    }
}
