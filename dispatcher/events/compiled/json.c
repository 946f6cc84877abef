/* Flat JSON objects, split into the values of known columns. */

#include "fold.h"

#include <string.h>

static void skip_space(Reader *reader)
{
    while (reader->at < reader->end && is_space(*reader->at))
        reader->at++;
}

/* Bytes of the UTF-8 character at a byte above 127; 0: there is none. */
static size_t character_size(const unsigned char *at, const unsigned char *end)
{
    size_t size = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : 2;
    if (*at < 0xC2 || *at > 0xF4 || (size_t)(end - at) < size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if ((*at == 0xE0 && at[1] < 0xA0) || (*at == 0xED && at[1] > 0x9F) || (*at == 0xF0 && at[1] < 0x90)
        || (*at == 0xF4 && at[1] > 0x8F))
        return 0;
    return size;
}

static int is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/* A string at its first quote; its kind is PLAIN where nothing in it is escaped. */
static int scan_string(Reader *reader, Value *value)
{
    const char *at = reader->at, *end = reader->end;
    if (at == end || *at++ != '"')
        return 0;
    value->text = at;
    value->kind = PLAIN;
    while (at < end && *at != '"') {
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x20)
            return 0;
        if (byte == '\\') {
            value->kind = JSON_STRING;
            if (end - at < 2 || at[1] == 0 || strchr("\"\\/bfnrtu", at[1]) == NULL)
                return 0;
            if (at[1] == 'u') {
                if (end - at < 6 || !is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4]) || !is_hex(at[5]))
                    return 0;
                at += 4;
            }
            at += 2;
        } else if (byte < 0x80)
            at++;
        else {
            size_t size = character_size((const unsigned char *)at, (const unsigned char *)end);
            if (size == 0)
                return 0;
            at += size;
        }
    }
    if (at >= end)
        return 0;
    value->size = (size_t)(at - value->text);
    reader->at = at + 1;
    return 1;
}

static const char *past_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static int scan_number(Reader *reader, Value *value)
{
    const char *at = reader->at, *end = reader->end, *digits;
    value->text = at;
    value->kind = PLAIN;
    if (at < end && *at == '-')
        at++;
    digits = at;
    at = past_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return 0;
    if (at < end && *at == '.') {
        digits = ++at;
        if ((at = past_digits(at, end)) == digits)
            return 0;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        if ((at = past_digits(at, end)) == digits)
            return 0;
    }
    value->size = (size_t)(at - value->text);
    reader->at = at;
    return 1;
}

static int scan_json_value(Reader *reader, Value *value)
{
    static const struct {
        const char *text;
        size_t size;
        Kind kind;
    } words[] = {{"null", 4, SQL_NULL}, {"true", 4, PLAIN}, {"false", 5, PLAIN}};
    if (reader->at < reader->end && *reader->at == '"')
        return scan_string(reader, value);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        value->text = reader->at;
        if (past(reader, words[i].text, words[i].size)) {
            value->size = words[i].size;
            value->kind = words[i].kind;
            return 1;
        }
    }
    return scan_number(reader, value);
}

int scan_json(Reader *reader, Value *values)
{
    skip_space(reader);
    if (!past(reader, "{", 1))
        return 0;
    do {
        Value name;
        skip_space(reader);
        if (!scan_string(reader, &name))
            return 0;
        skip_space(reader);
        Value *value = value_of(reader, values, name.text, name.size);
        if (value == NULL || !past(reader, ":", 1))
            return 0;
        skip_space(reader);
        if (!scan_json_value(reader, value))
            return 0;
        skip_space(reader);
    } while (past(reader, ",", 1));
    if (!past(reader, "}", 1))
        return 0;
    skip_space(reader);
    return reader->at == reader->end;
}
