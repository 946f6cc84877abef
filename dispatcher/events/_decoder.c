/* Long: one extension module is one file.
 *
 * The decoder of decoder.py, compiled. A property test holds both to the same results. The interpreter's lock is
 * released while a block is decoded. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

enum {
    DAY = 10,          /* bytes of a date, YYYY-MM-DD */
    MAX_MOMENT = 64,   /* bytes of a partition value; longer ones name no day */
    MAX_DAYS = 256,    /* days of one call; one more ends it */
    SLOTS = 1024,      /* of the hash table of days: a power of two, well above MAX_DAYS */
    NOT_PARTITIONED = -1,
    BY_EVENT_TIME = -2,
};

typedef struct {
    const char *text;
    Py_ssize_t size;
} Text;

typedef struct {
    Text *items;
    Py_ssize_t count;
} Texts;

typedef struct {
    char day[DAY];
    Py_ssize_t day_size; /* 0 if rows are not partitioned */
    char *text;
    Py_ssize_t size, room;
} DayRows;

typedef struct {
    /* What lines look like. */
    Texts prefixes, ignored, names;
    Py_ssize_t *picked, picked_count;
    int *is_picked;
    Py_ssize_t part;
    /* What became of them. */
    Py_ssize_t *counts;
    DayRows days[MAX_DAYS];
    Py_ssize_t day_count;
    short slots[SLOTS]; /* number of a day plus 1, 0 if free */
    Text *values;       /* of the present line; text NULL is SQL's NULL */
    int no_memory;
} Decoding;

/* Value of a hexadecimal digit, 16 for any other byte. */
static unsigned char hex[256];
/* Whether a byte of url-encoded text stands for something else: '+', '%', and what COPY TO escapes. */
static unsigned char special[256];

static void fill_tables(void)
{
    memset(hex, 16, sizeof hex);
    for (int digit = 0; digit < 10; digit++)
        hex['0' + digit] = (unsigned char)digit;
    for (int digit = 10; digit < 16; digit++)
        hex['a' + digit - 10] = hex['A' + digit - 10] = (unsigned char)digit;
    special['+'] = special['%'] = special['\\'] = 1;
}

/* Decode a value into COPY text; returns its end, or NULL if it is malformed. `to` has room for as many bytes;
 * without `escape` the bytes are written as they are. */
static char *decode_value(Text value, char *to, int escape)
{
    const unsigned char *from = (const unsigned char *)value.text;
    const unsigned char *end = from + value.size;
    while (from < end) {
        unsigned char byte = *from++;
        if (!special[byte]) {
            *to++ = (char)byte;
            continue;
        }
        if (byte == '+') {
            *to++ = ' ';
            continue;
        }
        if (byte == '\\' || end - from < 2 || hex[from[0]] > 15 || hex[from[1]] > 15)
            return NULL;
        byte = (unsigned char)(hex[from[0]] << 4 | hex[from[1]]);
        from += 2;
        if (escape) {
            char letter = byte == '\\' ? '\\' : byte == '\t' ? 't' : byte == '\n' ? 'n' : byte == '\r' ? 'r' : 0;
            if (letter) {
                *to++ = '\\';
                *to++ = letter;
                continue;
            }
        }
        *to++ = (char)byte;
    }
    return to;
}

/* Whether text that is not loaded could be decoded. */
static int is_sound(Text value)
{
    const unsigned char *from = (const unsigned char *)value.text;
    const unsigned char *end = from + value.size;
    for (; from < end; from++)
        if (*from == '\\' || (*from == '%' && (end - from < 3 || hex[from[1]] > 15 || hex[from[2]] > 15)))
            return 0;
    return 1;
}

/* Value of two digits, -1 if they are not both digits. */
static int pair(const char *text)
{
    unsigned tens = (unsigned)(text[0] - '0'), ones = (unsigned)(text[1] - '0');
    return tens < 10 && ones < 10 ? (int)(tens * 10 + ones) : -1;
}

/* Whether a text is a moment whose day is sure; decoder.py has the same as a regular expression. */
static int begins_with_day(const char *text, Py_ssize_t size)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (size < DAY || text[4] != '-' || text[7] != '-')
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

/* The rows of a day; NULL if there is no room for another day. */
static DayRows *rows_of(Decoding *d, const char *day, Py_ssize_t size)
{
    unsigned hash = 2166136261u;
    for (Py_ssize_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)day[i]) * 16777619u;
    unsigned slot = hash & (SLOTS - 1);
    for (; d->slots[slot]; slot = (slot + 1) & (SLOTS - 1)) {
        DayRows *rows = &d->days[d->slots[slot] - 1];
        if (rows->day_size == size && memcmp(rows->day, day, (size_t)size) == 0)
            return rows;
    }
    if (d->day_count == MAX_DAYS)
        return NULL;
    DayRows *rows = &d->days[d->day_count++];
    memset(rows, 0, sizeof *rows);
    memcpy(rows->day, day, (size_t)size);
    rows->day_size = size;
    d->slots[slot] = (short)d->day_count;
    return rows;
}

static int make_room(DayRows *rows, Py_ssize_t more)
{
    if (rows->room - rows->size >= more)
        return 1;
    Py_ssize_t room = rows->room * 2 > rows->size + more ? rows->room * 2 : rows->size + more;
    char *text = realloc(rows->text, (size_t)room);
    if (text == NULL)
        return 0;
    rows->text = text;
    rows->room = room;
    return 1;
}

/* Which prefix a line begins with, -1 if none; `last` is tried first. */
static Py_ssize_t find_prefix(const Texts *prefixes, const char *line, Py_ssize_t size, Py_ssize_t last)
{
    for (Py_ssize_t i = 0; i < prefixes->count; i++) {
        Py_ssize_t number = (last + i) % prefixes->count;
        const Text *prefix = &prefixes->items[number];
        if (prefix->size <= size && memcmp(prefix->text, line, (size_t)prefix->size) == 0)
            return number;
    }
    return -1;
}

/* Split a row into its values; returns whether it has the columns and no others. */
static int split(Decoding *d, const char *data, const char *end)
{
    for (Py_ssize_t i = 0; i < d->names.count; i++) {
        const Text *name = &d->names.items[i];
        if (i && (data == end || *data++ != '&'))
            return 0;
        if (end - data < name->size || memcmp(data, name->text, (size_t)name->size) != 0)
            return 0;
        data += name->size;
        d->values[i].text = NULL;
        if (data < end && *data == '=') {
            data++;
            const char *stop = memchr(data, '&', (size_t)(end - data));
            if (stop == NULL)
                stop = end;
            d->values[i].text = data;
            d->values[i].size = stop - data;
            data = stop;
        }
    }
    return data == end && d->names.count > 0;
}

/* Where the present row belongs; NULL if its day cannot be told, or there is no room for another day. */
static DayRows *find_rows(Decoding *d, Text event_time)
{
    char moment[MAX_MOMENT];
    if (d->part == NOT_PARTITIONED)
        return rows_of(d, "", 0);
    Text value = d->part == BY_EVENT_TIME ? event_time : d->values[d->part];
    if (value.text == NULL || value.size > MAX_MOMENT)
        return NULL;
    const char *text = value.text;
    Py_ssize_t size = value.size;
    if (d->part != BY_EVENT_TIME) {
        char *end = decode_value(value, moment, 0);
        if (end == NULL)
            return NULL;
        text = moment;
        size = end - moment;
    }
    return begins_with_day(text, size) ? rows_of(d, text, DAY) : NULL;
}

/* Write the present row; if it is malformed, return 0 and leave nothing of it. */
static int write_row(Decoding *d, DayRows *rows)
{
    Py_ssize_t room = 0;
    for (Py_ssize_t i = 0; i < d->picked_count; i++) {
        const Text *value = &d->values[d->picked[i]];
        room += (value->text ? value->size : 2) + 1;
    }
    if (!make_room(rows, room + 1)) {
        d->no_memory = 1;
        return 0;
    }
    char *to = rows->text + rows->size;
    for (Py_ssize_t i = 0; i < d->picked_count; i++) {
        Text value = d->values[d->picked[i]];
        if (i)
            *to++ = '\t';
        if (value.text == NULL) {
            *to++ = '\\';
            *to++ = 'N';
        } else if ((to = decode_value(value, to, 1)) == NULL)
            return 0;
    }
    for (Py_ssize_t i = 0; i < d->names.count; i++)
        if (!d->is_picked[i] && d->values[i].text && !is_sound(d->values[i]))
            return 0;
    *to++ = '\n';
    rows->size = to - rows->text;
    return 1;
}

/* Decode lines as long as they are as described; returns where that ended. */
static const char *decode_lines(Decoding *d, const char *line, const char *end)
{
    Py_ssize_t prefix = 0, last_ignored = 0;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (stop == NULL)
            break;
        Py_ssize_t found = find_prefix(&d->prefixes, line, stop - line, prefix);
        if (found < 0) {
            found = find_prefix(&d->ignored, line, stop - line, last_ignored);
            if (found < 0)
                break;
            last_ignored = found;
            Text data = {line + d->ignored.items[found].size, 0};
            const char *tab = memchr(data.text, '\t', (size_t)(stop - data.text));
            data.size = tab ? tab - data.text : 0;
            if (tab == NULL || !is_sound(data))
                break;
            d->counts[d->prefixes.count + found]++;
            line = stop + 1;
            continue;
        }
        prefix = found;
        const char *data = line + d->prefixes.items[prefix].size;
        const char *data_end = memchr(data, '\t', (size_t)(stop - data));
        if (data_end == NULL || !split(d, data, data_end))
            break;
        Text event_time = {NULL, 0};
        if (d->part == BY_EVENT_TIME) {
            const char *time_end = memchr(data_end + 1, '\t', (size_t)(stop - data_end - 1));
            if (time_end == NULL)
                break;
            event_time.text = data_end + 1;
            event_time.size = time_end - event_time.text;
        }
        DayRows *rows = find_rows(d, event_time);
        if (rows == NULL || !write_row(d, rows))
            break;
        d->counts[prefix]++;
        line = stop + 1;
    }
    return line;
}

static int take_texts(PyObject *tuple, Texts *texts)
{
    texts->count = PyTuple_GET_SIZE(tuple);
    texts->items = PyMem_Calloc((size_t)texts->count + 1, sizeof(Text));
    if (texts->items == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t i = 0; i < texts->count; i++) {
        char *text;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(tuple, i), &text, &texts->items[i].size) < 0)
            return 0;
        texts->items[i].text = text;
    }
    return 1;
}

static int take_picked(PyObject *tuple, Decoding *d)
{
    d->picked_count = PyTuple_GET_SIZE(tuple);
    d->picked = PyMem_Calloc((size_t)d->picked_count + 1, sizeof *d->picked);
    d->is_picked = PyMem_Calloc((size_t)d->names.count + 1, sizeof *d->is_picked);
    d->values = PyMem_Calloc((size_t)d->names.count + 1, sizeof *d->values);
    d->counts = PyMem_Calloc((size_t)(d->prefixes.count + d->ignored.count) + 1, sizeof *d->counts);
    if (!d->picked || !d->is_picked || !d->values || !d->counts) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t i = 0; i < d->picked_count; i++) {
        Py_ssize_t number = PyLong_AsSsize_t(PyTuple_GET_ITEM(tuple, i));
        if (number == -1 && PyErr_Occurred())
            return 0;
        if (number < 0 || number >= d->names.count) {
            PyErr_SetString(PyExc_IndexError, "no such column");
            return 0;
        }
        d->picked[i] = number;
        d->is_picked[number] = 1;
    }
    return 1;
}

static PyObject *result_of(const Decoding *d, Py_ssize_t end)
{
    Py_ssize_t prefixes = d->prefixes.count + d->ignored.count;
    PyObject *by_day = PyDict_New(), *counts = PyTuple_New(prefixes);
    int failed = by_day == NULL || counts == NULL;
    for (Py_ssize_t i = 0; !failed && i < prefixes; i++) {
        PyObject *count = PyLong_FromSsize_t(d->counts[i]);
        if (count == NULL)
            failed = 1;
        else
            PyTuple_SET_ITEM(counts, i, count);
    }
    for (Py_ssize_t i = 0; !failed && i < d->day_count; i++) {
        const DayRows *rows = &d->days[i];
        if (rows->size == 0)
            continue;
        PyObject *day = PyBytes_FromStringAndSize(rows->day, rows->day_size);
        PyObject *text = PyBytes_FromStringAndSize(rows->text, rows->size);
        failed = day == NULL || text == NULL || PyDict_SetItem(by_day, day, text) < 0;
        Py_XDECREF(day);
        Py_XDECREF(text);
    }
    PyObject *result = failed ? NULL : Py_BuildValue("nOO", end, by_day, counts);
    Py_XDECREF(by_day);
    Py_XDECREF(counts);
    return result;
}

static PyObject *decode_block(PyObject *module, PyObject *args)
{
    Py_buffer block;
    Py_ssize_t start;
    PyObject *prefixes, *ignored, *names, *picked, *result = NULL;
    (void)module;
    Decoding *d = PyMem_Calloc(1, sizeof *d);
    if (d == NULL)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(args, "y*nO!O!O!O!n:decode_block", &block, &start, &PyTuple_Type, &prefixes, &PyTuple_Type,
                          &ignored, &PyTuple_Type, &names, &PyTuple_Type, &picked, &d->part)) {
        PyMem_Free(d);
        return NULL;
    }
    if (!take_texts(prefixes, &d->prefixes) || !take_texts(ignored, &d->ignored) || !take_texts(names, &d->names)
        || !take_picked(picked, d))
        goto done;
    if (start < 0 || start > block.len || d->part < BY_EVENT_TIME || d->part >= d->names.count) {
        PyErr_SetString(PyExc_IndexError, "no such byte or column");
        goto done;
    }
    const char *text = block.buf, *end;
    Py_BEGIN_ALLOW_THREADS
    end = decode_lines(d, text + start, text + block.len);
    Py_END_ALLOW_THREADS
    if (d->no_memory)
        PyErr_NoMemory();
    else
        result = result_of(d, end - text);
done:
    for (Py_ssize_t i = 0; i < d->day_count; i++)
        free(d->days[i].text);
    PyMem_Free(d->prefixes.items);
    PyMem_Free(d->ignored.items);
    PyMem_Free(d->names.items);
    PyMem_Free(d->picked);
    PyMem_Free(d->is_picked);
    PyMem_Free(d->values);
    PyMem_Free(d->counts);
    PyBuffer_Release(&block);
    PyMem_Free(d);
    return result;
}

static PyMethodDef methods[] = {
    {"decode_block", decode_block, METH_VARARGS, PyDoc_STR("Decode lines; see decoder.py.")},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_decoder",
    .m_doc = PyDoc_STR("The decoder of decoder.py, compiled."),
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__decoder(void)
{
    fill_tables();
    return PyModule_Create(&definition);
}
