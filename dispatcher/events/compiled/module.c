/* Long: one type is one file.
 *
 * The type Fold, as purefold.py describes it. The interpreter's lock is released while lines are taken. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "fold.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    PyObject_HEAD
    PyObject *description; /* owns the texts that `fold` points to */
    int is_busy;
    PyObject *sift, *mask; /* of the description; NULL: there is none */
    PyObject *masked; /* values that `mask` gave for the present line, and that `fold` points to */
    PyThreadState *thread; /* which adds lines, and has let go of the interpreter's lock */
    Fold fold;
} FoldObject;

static int take_text(PyObject *object, Text *text)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(object, &bytes, &size) < 0)
        return 0;
    *text = (Text){bytes, (size_t)size};
    return 1;
}

static void *allocate(size_t count, size_t size)
{
    void *found = PyMem_Calloc(count + 1, size);
    if (found == NULL)
        PyErr_NoMemory();
    return found;
}

/* The given columns that all rows of a prefix have in common. */
static int take_texts(const Description *d, Prefix *prefix, PyObject *given)
{
    if ((size_t)PyTuple_GET_SIZE(given) != d->of_prefix_count) {
        PyErr_SetString(PyExc_ValueError, "a prefix gives more columns or less");
        return 0;
    }
    if ((prefix->given = allocate(d->of_prefix_count, sizeof *prefix->given)) == NULL)
        return 0;
    for (size_t i = 0; i < d->of_prefix_count; i++)
        if (!take_text(PyTuple_GET_ITEM(given, (Py_ssize_t)i), &prefix->given[i]))
            return 0;
    return 1;
}

static int take_given(Description *d, PyObject *given)
{
    size_t count = (size_t)PyTuple_GET_SIZE(given);
    if ((d->given = allocate(count, sizeof *d->given)) == NULL)
        return 0;
    for (size_t i = 0; i < count; i++) {
        long field = PyLong_AsLong(PyTuple_GET_ITEM(given, (Py_ssize_t)i));
        if (field == -1 && PyErr_Occurred())
            return 0;
        if (field < OF_PREFIX || field >= (long)d->first) {
            PyErr_SetString(PyExc_IndexError, "no such field");
            return 0;
        }
        d->given[i] = field;
        d->of_prefix_count += field == OF_PREFIX;
    }
    d->given_count = count;
    return 1;
}

static int take_prefixes(Description *d, PyObject *prefixes)
{
    d->prefix_count = (size_t)PyTuple_GET_SIZE(prefixes);
    if ((d->prefixes = allocate(d->prefix_count, sizeof *d->prefixes)) == NULL)
        return 0;
    for (size_t i = 0; i < d->prefix_count; i++) {
        PyObject *type, *table, *given;
        Prefix *prefix = &d->prefixes[i];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(prefixes, (Py_ssize_t)i), "O!O!iiO!", &PyBytes_Type, &type,
                              &PyBytes_Type, &table, &prefix->deed, &prefix->writing, &PyTuple_Type, &given)
            || !take_text(type, &prefix->type) || !take_text(table, &prefix->table) || !take_texts(d, prefix, given))
            return 0;
    }
    return 1;
}

static int take_columns(Description *d, PyObject *columns, PyObject *loaded)
{
    d->column_count = (size_t)PyTuple_GET_SIZE(columns);
    d->columns = allocate(d->column_count, sizeof *d->columns);
    d->in_key = allocate(d->column_count, sizeof *d->in_key);
    if (d->columns == NULL || d->in_key == NULL)
        return 0;
    if ((size_t)PyTuple_GET_SIZE(loaded) != d->column_count) {
        PyErr_SetString(PyExc_ValueError, "columns and loaded differ in length");
        return 0;
    }
    if (d->column_count < d->given_count) {
        PyErr_SetString(PyExc_ValueError, "there are more given columns than columns");
        return 0;
    }
    for (size_t i = 0; i < d->column_count; i++) {
        PyObject *names[SPELLINGS];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(columns, (Py_ssize_t)i), "O!O!O!", &PyBytes_Type, &names[0],
                              &PyBytes_Type, &names[1], &PyBytes_Type, &names[2]))
            return 0;
        for (int spelling = 0; spelling < SPELLINGS; spelling++)
            if (!take_text(names[spelling], &d->columns[i].names[spelling]))
                return 0;
        int is_loaded = PyObject_IsTrue(PyTuple_GET_ITEM(loaded, (Py_ssize_t)i));
        if (is_loaded < 0)
            return 0;
        d->columns[i].loaded = is_loaded;
        d->loaded_count += (size_t)is_loaded;
    }
    return 1;
}

/* A column's number; -1 with an error. */
static Py_ssize_t take_number(const Description *d, PyObject *object)
{
    Py_ssize_t number = PyLong_AsSsize_t(object);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (number < 0 || (size_t)number >= d->column_count) {
        PyErr_SetString(PyExc_IndexError, "no such column");
        return -1;
    }
    return number;
}

static int take_key(Description *d, PyObject *key)
{
    d->key_count = (size_t)PyTuple_GET_SIZE(key);
    if ((d->key = allocate(d->key_count, sizeof *d->key)) == NULL)
        return 0;
    for (size_t i = 0; i < d->key_count; i++) {
        Py_ssize_t number = take_number(d, PyTuple_GET_ITEM(key, (Py_ssize_t)i));
        if (number < 0)
            return 0;
        if (!d->columns[number].loaded || d->in_key[number]) {
            PyErr_SetString(PyExc_ValueError, "the key has a column twice, or one that is not loaded");
            return 0;
        }
        d->key[i] = (size_t)number;
        d->in_key[number] = 1;
    }
    return 1;
}

static int take_numbers(const Description *d, PyObject *tuple, size_t **numbers, size_t *count)
{
    *count = (size_t)PyTuple_GET_SIZE(tuple);
    if ((*numbers = allocate(*count, sizeof **numbers)) == NULL)
        return 0;
    for (size_t i = 0; i < *count; i++) {
        Py_ssize_t number = take_number(d, PyTuple_GET_ITEM(tuple, (Py_ssize_t)i));
        if (number < 0)
            return 0;
        (*numbers)[i] = (size_t)number;
    }
    return 1;
}

/* A value as Python sees it; NULL if it is malformed, or with an error. */
static PyObject *value_object(const Value *value)
{
    if (value->kind <= SQL_NULL)
        return Py_NewRef(value->kind == ABSENT ? Py_Ellipsis : Py_None);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room_of(value));
    if (bytes == NULL)
        return NULL;
    char *start = PyBytes_AS_STRING(bytes), *end = write_value(value, start, 0);
    if (end == NULL)
        Py_CLEAR(bytes);
    else
        _PyBytes_Resize(&bytes, end - start);
    return bytes;
}

/* What a function says of the present values of some columns; NULL if one is malformed, or with an error. */
static PyObject *ask(const Fold *fold, PyObject *function, const size_t *numbers, size_t count)
{
    PyObject *values = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; values && i < count; i++) {
        PyObject *value = value_object(&fold->values[numbers[i]]);
        if (value == NULL)
            Py_CLEAR(values);
        else
            PyTuple_SET_ITEM(values, (Py_ssize_t)i, value);
    }
    PyObject *told = values ? PyObject_CallOneArg(function, values) : NULL;
    Py_XDECREF(values);
    return told;
}

static FoldObject *object_of(Fold *fold)
{
    return (FoldObject *)((char *)fold - offsetof(FoldObject, fold));
}

/* Called without the interpreter's lock. */
static int sift(Fold *fold)
{
    FoldObject *self = object_of(fold);
    PyEval_RestoreThread(self->thread);
    PyObject *told = ask(fold, self->sift, fold->described.sifted, fold->described.sifted_count);
    int found = SIFT_STRANGE;
    if (told == NULL ? PyErr_Occurred() != NULL : told != Py_None) {
        int passes = told ? PyObject_IsTrue(told) : -1;
        found = passes < 0 ? SIFT_RAISED : passes;
    }
    Py_XDECREF(told);
    self->thread = PyEval_SaveThread();
    return found;
}

/* Let the present values be those that were given; returns 0 with an error. */
static int put_masked(Fold *fold, PyObject *given)
{
    const Description *d = &fold->described;
    if (!PyTuple_Check(given) || (size_t)PyTuple_GET_SIZE(given) != d->masked_count) {
        PyErr_SetString(PyExc_ValueError, "mask gives as many values as it takes");
        return 0;
    }
    for (size_t i = 0; i < d->masked_count; i++) {
        PyObject *object = PyTuple_GET_ITEM(given, (Py_ssize_t)i);
        Value *value = &fold->values[d->masked[i]];
        Text text = {"", 0};
        if (object == Py_Ellipsis || object == Py_None)
            value->kind = object == Py_None ? SQL_NULL : ABSENT;
        else if (take_text(object, &text))
            *value = (Value){text.text, text.size, PLAIN};
        else
            return 0;
    }
    return 1;
}

/* Called without the interpreter's lock. */
static int mask(Fold *fold)
{
    FoldObject *self = object_of(fold);
    PyEval_RestoreThread(self->thread);
    Py_XSETREF(self->masked, ask(fold, self->mask, fold->described.masked, fold->described.masked_count));
    int found = MASK_DONE;
    if (self->masked == NULL || self->masked == Py_None)
        found = PyErr_Occurred() ? MASK_RAISED : MASK_STRANGE;
    else if (!put_masked(fold, self->masked))
        found = MASK_RAISED;
    self->thread = PyEval_SaveThread();
    return found;
}

static int take_description(FoldObject *self, PyObject *description)
{
    Fold *fold = &self->fold;
    PyObject *prefixes, *columns, *loaded, *key, *given;
    PyObject *sifted = NULL, *sift_ = NULL, *masked = NULL, *mask_ = NULL;
    Py_ssize_t first, least;
    Description *d = &fold->described;
    d->mark = NO_MARK;
    if (!PyArg_ParseTuple(description, "nO!O!O!O!lnpO!i|O!OO!Opl", &first, &PyTuple_Type, &prefixes, &PyTuple_Type, &columns,
                          &PyTuple_Type, &loaded, &PyTuple_Type, &key, &d->part, &least, &d->replaces, &PyTuple_Type,
                          &given, &d->dial, &PyTuple_Type, &sifted, &sift_, &PyTuple_Type, &masked, &mask_,
                          &d->apart, &d->mark))
        return 0;
    if (first < 1 || first + 4 > MAX_FIELDS || least < 0) {
        PyErr_SetString(PyExc_IndexError, "no such field");
        return 0;
    }
    if (d->dial < WRITTEN || d->dial > MILLISECONDS) {
        PyErr_SetString(PyExc_ValueError, "no such dial");
        return 0;
    }
    d->first = (size_t)first;
    d->least = (size_t)least;
    if (!take_given(d, given) || !take_prefixes(d, prefixes) || !take_columns(d, columns, loaded) || !take_key(d, key))
        return 0;
    if (sift_ && sift_ != Py_None) {
        if (!take_numbers(d, sifted, &d->sifted, &d->sifted_count))
            return 0;
        self->sift = sift_;
        fold->sift = sift;
    }
    if (mask_ && mask_ != Py_None) {
        if (!take_numbers(d, masked, &d->masked, &d->masked_count))
            return 0;
        self->mask = mask_;
        fold->mask = mask;
    }
    if (d->part < BY_EVENT_TIME || (d->part >= 0 && (size_t)d->part >= d->column_count)) {
        PyErr_SetString(PyExc_IndexError, "no such column");
        return 0;
    }
    if (d->mark < NO_MARK || d->mark >= (long)d->given_count) {
        PyErr_SetString(PyExc_IndexError, "no such column");
        return 0;
    }
    fold->set_words = d->column_count / 64 + 1;
    fold->values = allocate(d->column_count, sizeof *fold->values);
    fold->where = allocate(d->column_count, sizeof *fold->where);
    fold->before = allocate(d->column_count, sizeof *fold->before);
    fold->set = allocate(fold->set_words, sizeof *fold->set);
    fold->whole_set = allocate(fold->set_words, sizeof *fold->whole_set);
    for (size_t i = 0; fold->whole_set && i < d->column_count; i++)
        fold->whole_set[i / 64] |= (uint64_t)1 << i % 64;
    fold->taken = allocate(d->prefix_count, sizeof *fold->taken);
    fold->ignored = allocate(d->prefix_count, sizeof *fold->ignored);
    return fold->values && fold->where && fold->before && fold->set && fold->whole_set && fold->taken && fold->ignored;
}

/* A number that differs from process to process, unless PYTHONHASHSEED says otherwise. */
static int take_seed(Fold *fold)
{
    PyObject *text = PyBytes_FromString("tdsup");
    if (text == NULL)
        return 0;
    fold->seed = (uint64_t)PyObject_Hash(text) * 0x9E3779B97F4A7C15u;
    Py_DECREF(text);
    return 1;
}

static void fold_dealloc(FoldObject *self)
{
    Fold *fold = &self->fold;
    Description *d = &fold->described;
    free_groups(fold);
    free_rows(fold);
    for (size_t i = 0; d->prefixes && i < d->prefix_count; i++)
        PyMem_Free(d->prefixes[i].given);
    void *owned[] = {d->prefixes,  d->given,     d->columns,   d->in_key,   d->key,          d->sifted,   d->masked,
                     fold->values, fold->where,  fold->before, fold->set,   fold->whole_set, fold->taken, fold->ignored};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        PyMem_Free(owned[i]);
    Py_XDECREF(self->masked);
    Py_XDECREF(self->description);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *fold_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *description;
    if (keywords && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Fold takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!:Fold", &PyTuple_Type, &description))
        return NULL;
    FoldObject *self = (FoldObject *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->description = Py_NewRef(description);
    if (!take_description(self, description) || !take_seed(&self->fold)) {
        Py_DECREF(self);
        return NULL;
    }
    clear_rows(&self->fold);
    return (PyObject *)self;
}

static PyObject *fold_allow(FoldObject *self, PyObject *args)
{
    long long start, end;
    Stretch stretch;
    if (!PyArg_ParseTuple(args, "LLip:allow", &start, &end, &stretch.period, &stretch.rows))
        return NULL;
    if (start >= end || stretch.period < 1 || stretch.period >= MAX_PERIODS) {
        PyErr_SetString(PyExc_ValueError, "no such period");
        return NULL;
    }
    stretch.start = start;
    stretch.end = end;
    if (!add_stretch(&self->fold, &stretch))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *numbers(size_t *counts, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        PyObject *number = PyLong_FromSize_t(counts[i]);
        if (number == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, number);
    }
    return tuple;
}

static PyObject *fold_counts(FoldObject *self, PyObject *none)
{
    Fold *fold = &self->fold;
    size_t count = fold->described.prefix_count;
    (void)none;
    PyObject *taken = numbers(fold->taken, count), *ignored = taken ? numbers(fold->ignored, count) : NULL;
    PyObject *found = ignored ? PyTuple_Pack(2, taken, ignored) : NULL;
    Py_XDECREF(taken);
    Py_XDECREF(ignored);
    memset(fold->taken, 0, count * sizeof *fold->taken);
    memset(fold->ignored, 0, count * sizeof *fold->ignored);
    return found;
}

static PyObject *fold_clear(FoldObject *self, PyObject *none)
{
    (void)none;
    clear_rows(&self->fold);
    self->fold.group_count = 0;
    Py_RETURN_NONE;
}

static PyObject *fold_add(FoldObject *self, PyObject *args)
{
    Py_buffer block;
    Py_ssize_t start;
    if (!PyArg_ParseTuple(args, "y*n:add", &block, &start))
        return NULL;
    const char *text = block.buf;
    if (self->is_busy || start < 0 || start > block.len || (block.len > start && text[block.len - 1] != '\n')) {
        PyErr_SetString(PyExc_ValueError, "lines must be whole, and come from one thread");
        PyBuffer_Release(&block);
        return NULL;
    }
    int result = STOP_ALL;
    const char *line = text + start, *end = text + block.len;
    self->is_busy = 1;
    self->thread = PyEval_SaveThread();
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        result = take_line(&self->fold, line, stop);
        if (result != STOP_ALL)
            break;
        line = stop + 1;
    }
    PyEval_RestoreThread(self->thread);
    self->is_busy = 0;
    Py_ssize_t at = line - text;
    PyBuffer_Release(&block);
    if (result == STOP_NO_MEMORY)
        return PyErr_NoMemory();
    if (result == STOP_RAISED)
        return NULL;
    return Py_BuildValue("ni", at, result);
}

/* Numbers of the columns that a group's rows have; of rows that go, those of the key. */
static PyObject *columns_of(const Fold *fold, const Group *group)
{
    const Description *d = &fold->described;
    if (group->columns < 0)
        return numbers(d->key, d->key_count);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < d->column_count; i++) {
        if (!has_column(fold, group->columns, i))
            continue;
        PyObject *number = PyLong_FromSize_t(i);
        if (number == NULL || PyList_Append(list, number) < 0)
            Py_CLEAR(list);
        Py_XDECREF(number);
    }
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

static PyObject *fold_groups(FoldObject *self, PyObject *none)
{
    Fold *fold = &self->fold;
    (void)none;
    if (!make_groups(fold))
        return PyErr_NoMemory();
    PyObject *found = PyTuple_New((Py_ssize_t)fold->group_count);
    for (size_t i = 0; found && i < fold->group_count; i++) {
        const Group *group = &fold->groups[i];
        PyObject *columns = columns_of(fold, group);
        PyObject *each = columns ? Py_BuildValue("iiNn", group->act, group->period, columns, (Py_ssize_t)group->count)
                                 : NULL;
        if (each == NULL)
            Py_CLEAR(found);
        else
            PyTuple_SET_ITEM(found, (Py_ssize_t)i, each);
    }
    return found;
}

static int take_picked(const Fold *fold, const Group *group, PyObject *tuple, size_t *picked)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        Py_ssize_t number = take_number(&fold->described, PyTuple_GET_ITEM(tuple, i));
        if (number < 0)
            return 0;
        for (Py_ssize_t before = 0; before < i; before++)
            if (picked[before] == (size_t)number)
                goto wrong;
        if (group->columns >= 0 && !has_column(fold, group->columns, (size_t)number))
            goto wrong;
        picked[i] = (size_t)number;
    }
    return 1;
wrong:
    PyErr_SetString(PyExc_IndexError, "no such column");
    return 0;
}

static PyObject *fold_text(FoldObject *self, PyObject *args)
{
    const Fold *fold = &self->fold;
    Py_ssize_t number;
    PyObject *tuple, *bytes = NULL, *found = NULL;
    Layout layout = {NULL, 0, {"", 0}};
    if (!PyArg_ParseTuple(args, "nO!|S:text", &number, &PyTuple_Type, &tuple, &bytes)
        || (bytes && !take_text(bytes, &layout.prefix)))
        return NULL;
    if (number < 0 || (size_t)number >= fold->group_count) {
        PyErr_SetString(PyExc_IndexError, "no such group");
        return NULL;
    }
    const Group *group = &fold->groups[number];
    size_t *picked = allocate((size_t)PyTuple_GET_SIZE(tuple), sizeof *picked);
    if (picked && take_picked(fold, group, tuple, picked)) {
        layout.picked = picked;
        layout.picked_count = (size_t)PyTuple_GET_SIZE(tuple);
        found = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)text_size(fold, group, &layout));
    }
    if (found) {
        char *start = PyBytes_AS_STRING(found);
        char *end = write_group(fold, group, &layout, start);
        if (end == NULL) {
            Py_CLEAR(found);
            PyErr_NoMemory();
        } else
            _PyBytes_Resize(&found, end - start);
    }
    PyMem_Free(picked);
    return found;
}

static PyObject *fold_size(FoldObject *self, void *nothing)
{
    (void)nothing;
    return PyLong_FromSize_t(size_of(&self->fold));
}

static PyMethodDef methods[] = {
    {"allow", (PyCFunction)fold_allow, METH_VARARGS, NULL},
    {"counts", (PyCFunction)fold_counts, METH_NOARGS, NULL},
    {"clear", (PyCFunction)fold_clear, METH_NOARGS, NULL},
    {"add", (PyCFunction)fold_add, METH_VARARGS, NULL},
    {"groups", (PyCFunction)fold_groups, METH_NOARGS, NULL},
    {"text", (PyCFunction)fold_text, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"size", (getter)fold_size, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, fold_new},
    {Py_tp_dealloc, fold_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tdsup.dispatcher.events._fold.Fold",
    .basicsize = sizeof(FoldObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_fold",
    .m_doc = PyDoc_STR("The fold of fold.py, compiled."),
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__fold(void)
{
    prepare_values();
    PyObject *module = PyModule_Create(&definition);
    PyObject *type = module ? PyType_FromSpec(&spec) : NULL;
    if (type == NULL || PyModule_AddObjectRef(module, "Fold", type) < 0)
        Py_CLEAR(module);
    Py_XDECREF(type);
    return module;
}
