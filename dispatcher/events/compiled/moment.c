/* The day of a value as a trigger writes it; moment.py is the reference. */

#include "fold.h"

/* Value of two digits, -1 if they are not both digits. */
static int pair(const char *text)
{
    unsigned tens = (unsigned)(text[0] - '0'), ones = (unsigned)(text[1] - '0');
    return tens < 10 && ones < 10 ? (int)(tens * 10 + ones) : -1;
}

/* Whether a text is a moment whose day is sure; moment.py has the same as a regular expression. */
int names_day(const char *text, size_t size)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (size < DAY || size > MAX_MOMENT || text[4] != '-' || text[7] != '-')
        return 0;
    int century = pair(text), rest = pair(text + 2), month = pair(text + 5), day = pair(text + 8);
    if (century < 0 || rest < 0 || month < 1 || month > 12 || day < 1)
        return 0;
    int year = century * 100 + rest;
    int leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || year > 9998 || day > lengths[month - 1] + leap)
        return 0;
    const char *at = text + DAY, *end = text + size;
    if (at == end)
        return 1;
    if ((*at != ' ' && *at != 'T') || end - at < 6 || at[3] != ':')
        return 0;
    int hour = pair(at + 1), minute = pair(at + 4), second = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return 0;
    at += 6;
    if (at < end && *at == ':') {
        if (end - at < 3 || (second = pair(at + 1)) < 0 || second > 59)
            return 0;
        at += 3;
        if (at < end && *at == '.') {
            const char *digits = ++at;
            while (at < end && *at >= '0' && *at <= '9')
                at++;
            /* A seventh digit may round up to the next day. */
            if (at == digits || (at - digits > 6 && hour == 23 && minute == 59 && second == 59))
                return 0;
        }
    }
    if (at < end && (*at == '+' || *at == '-')) {
        const char *zone = ++at;
        while (at < end && ((*at >= '0' && *at <= '9') || *at == ':'))
            at++;
        if (at == zone)
            return 0;
    }
    return at == end;
}
