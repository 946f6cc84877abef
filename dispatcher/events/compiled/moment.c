/* The moment of a value as a trigger writes it; moment.py is the reference. */

#include "fold.h"

static const int64_t LOCAL = (int64_t)1 << 40, FIRST = -62135596800, LAST = 253370764799;

/* Value of two digits, -1 if they are not both digits. */
static int pair(const char *text)
{
    unsigned tens = (unsigned)(text[0] - '0'), ones = (unsigned)(text[1] - '0');
    return tens < 10 && ones < 10 ? (int)(tens * 10 + ones) : -1;
}

static int is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Days from 1970 to a date, -1 in `is_sound` if there is no such date. */
static int64_t days_to(const char *text, int *is_sound)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int century = pair(text), rest = pair(text + 2), month = pair(text + 5), day = pair(text + 8);
    *is_sound = 0;
    if (century < 0 || rest < 0 || month < 1 || month > 12 || day < 1 || text[4] != '-' || text[7] != '-')
        return 0;
    int year = century * 100 + rest;
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || day > lengths[month - 1] + (leap && month == 2))
        return 0;
    *is_sound = 1;
    int past = year - 1;
    return (int64_t)past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] + (leap && month > 2) + day - 1
           - 719162;
}

/* Seconds of an offset without its sign, -1 if it is not as PostgreSQL writes it. */
static int offset_of(const char *at, const char *end)
{
    int size = (int)(end - at), hours, minutes = 0, seconds = 0;
    if ((size != 2 && size != 5 && size != 8) || (hours = pair(at)) < 0 || hours > 15)
        return -1;
    if (size > 2 && (at[2] != ':' || (minutes = pair(at + 3)) < 0 || minutes > 59))
        return -1;
    if (size > 5 && (at[5] != ':' || (seconds = pair(at + 6)) < 0 || seconds > 59))
        return -1;
    return hours * 3600 + minutes * 60 + seconds;
}

static int tell_count(const char *at, const char *end, int64_t unit, int64_t *second)
{
    int is_negative = at < end && *at == '-', digits = 0, rest = 0;
    int64_t count = 0;
    at += is_negative;
    for (; at < end && is_digit(*at); at++) {
        if (++digits > 15)
            return 0;
        count = count * 10 + (*at - '0');
    }
    if (digits == 0)
        return 0;
    if (at < end && *at == '.') {
        if (++at == end)
            return 0;
        for (; at < end && is_digit(*at); at++)
            rest |= *at != '0';
    }
    if (at != end)
        return 0;
    if (is_negative)
        count = -count - rest;
    *second = count / unit - (count % unit < 0);
    return *second >= FIRST && *second <= LAST;
}

/* Tell the second of a text as moment.py does; returns 0 if it is not sure. */
int tell_second(const char *text, size_t size, int dial, int64_t *second)
{
    const char *at = text, *end = text + size;
    int is_sound;
    if (size > MAX_MOMENT)
        return 0;
    if (dial >= SECONDS)
        return tell_count(at, end, dial == MILLISECONDS ? 1000 : 1, second);
    if (size < 10)
        return 0;
    *second = days_to(at, &is_sound) * 86400;
    at += 10;
    if (!is_sound || *second > LAST)
        return 0;
    if (at == end) {
        *second += LOCAL;
        return 1;
    }
    if ((*at != ' ' && *at != 'T') || end - at < 6 || at[3] != ':')
        return 0;
    int hours = pair(at + 1), minutes = pair(at + 4), seconds = 0;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return 0;
    at += 6;
    if (at < end && *at == ':') {
        if (end - at < 3 || (seconds = pair(at + 1)) < 0 || seconds > 59)
            return 0;
        at += 3;
        if (at < end && *at == '.') {
            const char *digits = ++at;
            while (at < end && is_digit(*at))
                at++;
            /* A seventh digit may round up to the next second. */
            if (at == digits || (at - digits > 6 && (dial != WRITTEN || (minutes == 59 && seconds == 59))))
                return 0;
        }
    }
    *second += hours * 3600 + minutes * 60 + seconds;
    if (at == end) {
        *second += LOCAL;
        return 1;
    }
    int is_west = *at == '-';
    const char *zone = at + 1;
    if (*at != '+' && *at != '-')
        return 0;
    if (dial == WRITTEN) {
        for (at = zone; at < end && (is_digit(*at) || *at == ':'); at++)
            ;
        *second += LOCAL;
        return at == end && at > zone;
    }
    int offset = offset_of(zone, end);
    *second += is_west ? offset : -offset;
    return offset >= 0;
}
