/* Values as triggers write them, decoded into COPY text. */

#include "fold.h"

#include <string.h>

/* Value of a hexadecimal digit, 16 for any other byte. */
static unsigned char hex[256];
/* Whether a byte of url-encoded text stands for something else, or is none of it. */
static unsigned char special[256];
/* Letter that COPY writes behind a backslash for a byte; 0: it is written as it is. */
static char letters[256];

void prepare_values(void)
{
    memset(hex, 16, sizeof hex);
    for (int digit = 0; digit < 10; digit++)
        hex['0' + digit] = (unsigned char)digit;
    for (int digit = 10; digit < 16; digit++)
        hex['a' + digit - 10] = hex['A' + digit - 10] = (unsigned char)digit;
    special['+'] = special['%'] = special['\\'] = special['\r'] = special['&'] = special['\t'] = 1;
    letters['\\'] = '\\';
    letters['\t'] = 't';
    letters['\n'] = 'n';
    letters['\r'] = 'r';
}

static inline char *put(char *to, unsigned char byte, int escape)
{
    if (escape && letters[byte]) {
        *to++ = '\\';
        byte = (unsigned char)letters[byte];
    }
    *to++ = (char)byte;
    return to;
}

static char *write_plain(const unsigned char *from, const unsigned char *end, char *to, int escape)
{
    while (from < end)
        to = put(to, *from++, escape);
    return to;
}

static char *write_percent(const unsigned char *from, const unsigned char *end, char *to, int escape)
{
    for (;;) {
        while (from < end && !special[*from])
            *to++ = (char)*from++;
        if (from == end)
            return to;
        unsigned char byte = *from++;
        if (byte == '+')
            *to++ = ' ';
        else if (byte == '&')
            *to++ = '&';
        else {
            if (byte != '%' || end - from < 2 || hex[from[0]] > 15 || hex[from[1]] > 15)
                return NULL;
            to = put(to, (unsigned char)(hex[from[0]] << 4 | hex[from[1]]), escape);
            from += 2;
        }
    }
}

/* What stands behind a backslash; the same in JSON and in SQL. */
static unsigned char named(unsigned char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter;
    }
}

static char *put_character(char *to, unsigned code, int escape)
{
    if (code < 0x80)
        return put(to, (unsigned char)code, escape);
    if (code < 0x800)
        *to++ = (char)(0xC0 | code >> 6);
    else {
        if (code < 0x10000)
            *to++ = (char)(0xE0 | code >> 12);
        else {
            *to++ = (char)(0xF0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (code & 0x3F));
    return to;
}

/* The number behind \u, which scan.c has found to have four digits. */
static unsigned code_at(const unsigned char *digits)
{
    return (unsigned)(hex[digits[0]] << 12 | hex[digits[1]] << 8 | hex[digits[2]] << 4 | hex[digits[3]]);
}

static char *write_json(const unsigned char *from, const unsigned char *end, char *to, int escape)
{
    while (from < end) {
        if (*from != '\\') {
            *to++ = (char)*from++;
            continue;
        }
        if (from[1] != 'u') {
            to = put(to, named(from[1]), escape);
            from += 2;
            continue;
        }
        unsigned code = code_at(from + 2);
        from += 6;
        if (code >= 0xD800 && code < 0xDC00) {
            if (end - from < 6 || from[0] != '\\' || from[1] != 'u')
                return NULL;
            unsigned low = code_at(from + 2);
            if (low < 0xDC00 || low > 0xDFFF)
                return NULL;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            from += 6;
        } else if (code == 0 || (code >= 0xDC00 && code < 0xE000))
            return NULL;
        to = put_character(to, code, escape);
    }
    return to;
}

static char *write_sql(const unsigned char *from, const unsigned char *end, char *to, int escape, int has_escapes)
{
    while (from < end) {
        unsigned char byte = *from++;
        if (byte == '\'')
            from++; /* There are two. */
        else if (byte == '\\' && has_escapes)
            byte = named(*from++);
        to = put(to, byte, escape);
    }
    return to;
}

/* What COPY text stands for. */
static char *write_copied(const unsigned char *from, const unsigned char *end, char *to)
{
    while (from < end) {
        unsigned char byte = *from++;
        *to++ = (char)(byte == '\\' ? named(*from++) : byte);
    }
    return to;
}

/* `to` has the value's room_of. Without `escape` the bytes are written as they are. */
char *write_value(const Value *value, char *to, int escape)
{
    const unsigned char *from = (const unsigned char *)value->text, *end = from + value->size;
    switch (value->kind) {
    case PLAIN:
        return write_plain(from, end, to, escape);
    case COPIED:
        if (!escape)
            return write_copied(from, end, to);
        memcpy(to, value->text, value->size);
        return to + value->size;
    case PERCENT:
        return write_percent(from, end, to, escape);
    case JSON_STRING:
        return write_json(from, end, to, escape);
    case SQL_STRING:
        return write_sql(from, end, to, escape, 0);
    case SQL_ESCAPED:
        return write_sql(from, end, to, escape, 1);
    default:
        *to++ = '\\';
        *to++ = 'N';
        return to;
    }
}

/* Most bytes that a value takes. */
size_t room_of(const Value *value)
{
    return value->kind <= SQL_NULL ? 2 : value->kind <= PLAIN || value->kind > PERCENT ? 2 * value->size : value->size;
}

/* Write an url-encoded row whose columns are all those known, in their order, behind given ones: the values are then
 * COPIED parts of the row. The data is followed by a tab. Returns 0 if it is another row, or without memory. */
int write_in_order(const Description *d, Text data, Value *values, Buffer *row)
{
    const unsigned char *from = (const unsigned char *)data.text, *end = from + data.size;
    size_t room = data.size + 2 * d->column_count + 1;
    for (size_t i = 0; i < d->given_count; i++)
        room += values[i].size;
    row->size = 0;
    if (!make_room(row, room))
        return 0;
    char *to = row->text;
    for (size_t i = 0; i < d->given_count; i++) {
        memcpy(to, values[i].text, values[i].size);
        to += values[i].size;
        *to++ = '\t';
    }
    for (size_t i = d->given_count; i < d->column_count; i++) {
        const Text *name = &d->columns[i].names[0];
        Value *value = &values[i];
        if (i > d->given_count) {
            if (from == end)
                return 0;
            from++;
            *to++ = '\t';
        }
        if ((size_t)(end - from) < name->size || name->size == 0 || memcmp(from, name->text, name->size) != 0)
            return 0;
        from += name->size;
        value->text = to;
        value->kind = *from == '=' ? COPIED : SQL_NULL;
        if (*from == '=') {
            from++;
            for (;;) {
                while (!special[*from])
                    *to++ = (char)*from++;
                if (*from == '&' || *from == '\t')
                    break;
                if (*from == '+') {
                    *to++ = ' ';
                    from++;
                } else if (*from != '%' || hex[from[1]] > 15 || hex[from[2]] > 15)
                    return 0;
                else {
                    to = put(to, (unsigned char)(hex[from[1]] << 4 | hex[from[2]]), 1);
                    from += 3;
                }
            }
        } else if (from != end && *from != '&')
            return 0;
        else {
            *to++ = '\\';
            *to++ = 'N';
        }
        value->size = (size_t)(to - value->text);
    }
    row->size = (size_t)(to - row->text);
    return from == end && d->column_count > d->given_count;
}

/* Whether a value that is not loaded could be decoded. */
int is_sound(const Value *value)
{
    const unsigned char *from = (const unsigned char *)value->text, *end = from + value->size;
    if (value->kind == PERCENT) {
        for (; from < end; from++)
            if (special[*from] && *from != '+' && *from != '&'
                && (*from != '%' || end - from < 3 || hex[from[1]] > 15 || hex[from[2]] > 15))
                return 0;
        return 1;
    }
    if (value->kind == JSON_STRING)
        while ((from = memchr(from, '\\', (size_t)(end - from)))) {
            size_t size = from[1] == 'u' ? 6 : 2;
            char character[8];
            if (size == 6 && code_at(from + 2) >= 0xD800 && code_at(from + 2) < 0xDC00)
                size = end - from < 12 ? 6 : 12;
            if (write_json(from, from + size, character, 0) == NULL)
                return 0;
            from += size;
        }
    return 1;
}
