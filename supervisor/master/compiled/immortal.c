/* Makes immortal what the modules are made of: see immortal.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Where tests have proved it: the count's place and its value for "immortal" are private to each version. Not where the
 * interpreter checks counts against each other, or counts by thread. */
#if !defined(Py_GIL_DISABLED) && !defined(Py_REF_DEBUG) && !defined(Py_TRACE_REFS) && SIZEOF_VOID_P == 8 \
    && PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030e0000
#define IS_PROVED 1
#else
#define IS_PROVED 0
#endif

#if IS_PROVED

typedef struct {
    PyObject **objects;
    size_t count, room, made;
    destructor plain; /* how instances of classes written in Python end */
} Walk;

/* Types of C whose objects do nothing at their end but free memory. */
static PyTypeObject *const quiet[] = {
    &PyBaseObject_Type, &PyType_Type,        &PyModule_Type,       &PyFunction_Type,    &PyCode_Type,
    &PyCell_Type,       &PyMethod_Type,      &PyCFunction_Type,    &PyMethodDescr_Type, &PyClassMethodDescr_Type,
    &PyGetSetDescr_Type, &PyMemberDescr_Type, &PyWrapperDescr_Type, &PyProperty_Type,    &PyStaticMethod_Type,
    &PyClassMethod_Type, &PyDictProxy_Type,  &Py_GenericAliasType, &PySlice_Type,       &PyUnicode_Type,
    &PyBytes_Type,      &PyLong_Type,        &PyFloat_Type,        &PyComplex_Type,     &PyTuple_Type,
    &PyList_Type,       &PyDict_Type,        &PySet_Type,          &PyFrozenSet_Type,
};

/* Whether the end of such objects has no effect, so that nobody misses it. */
static int ends_quietly(const Walk *walk, PyTypeObject *type)
{
    if (type->tp_finalize || type->tp_del)
        return 0;
    while (type->tp_dealloc == walk->plain)
        type = type->tp_base;
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
        if (type == quiet[i])
            return 1;
    return 0;
}

/* A visitproc. What is immortal was taken before, or is the interpreter's own. */
static int take(PyObject *object, void *argument)
{
    Walk *walk = argument;
    if (object == NULL)
        return 0;
    /* The first look for an attribute would write the number of a class into it. */
    if (PyType_Check(object))
        PyUnstable_Type_AssignVersionTag((PyTypeObject *)object);
    if (PyType_Check(object) && !(((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        PyObject *names = PyType_GetDict((PyTypeObject *)object);
        int result = take(names, walk);
        Py_XDECREF(names);
        return result;
    }
    if (_Py_IsImmortal(object) || !ends_quietly(walk, Py_TYPE(object)))
        return 0;
    if (walk->count == walk->room) {
        size_t room = walk->room ? 2 * walk->room : 4096;
        PyObject **objects = PyMem_RawRealloc(walk->objects, room * sizeof *objects);
        if (objects == NULL)
            return -1;
        walk->objects = objects;
        walk->room = room;
    }
    walk->objects[walk->count++] = object;
    walk->made++;
    object->ob_refcnt = _Py_IMMORTAL_REFCNT;
    return 0;
}

/* Code is not known to the garbage collector, nor are tuples of constants. */
static int take_untracked(PyObject *object, Walk *walk)
{
    if (!PyCode_Check(object))
        return 0;
    const PyCodeObject *code = (PyCodeObject *)object;
    PyObject *parts[] = {code->co_consts,           code->co_names,           code->co_exceptiontable,
                         code->co_localsplusnames,  code->co_localspluskinds, code->co_filename,
                         code->co_name,             code->co_qualname,        code->co_linetable};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (take(parts[i], walk) < 0)
            return -1;
    return 0;
}

static int take_all(Walk *walk)
{
    while (walk->count) {
        PyObject *object = walk->objects[--walk->count];
        int result = PyObject_IS_GC(object) ? Py_TYPE(object)->tp_traverse(object, take, walk)
                                            : take_untracked(object, walk);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* Whether this interpreter is of the version that this was compiled for, and marks its own objects as it is done here. */
static int is_as_compiled(void)
{
    return Py_Version >> 16 == PY_VERSION_HEX >> 16 && Py_None->ob_refcnt == _Py_IMMORTAL_REFCNT;
}

/* The end of instances of classes written in Python; NULL with an error. */
static destructor plain_end(void)
{
    PyObject *type = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "Plain");
    destructor found = type ? ((PyTypeObject *)type)->tp_dealloc : NULL;
    Py_XDECREF(type);
    return found;
}

static PyObject *make_immortal(PyObject *module, PyObject *root)
{
    Walk walk = {NULL, 0, 0, 0, NULL};
    (void)module;
    if (!is_as_compiled())
        return PyLong_FromLong(0);
    if ((walk.plain = plain_end()) == NULL)
        return NULL;
    int result = take(root, &walk) < 0 || take_all(&walk) < 0;
    PyMem_RawFree(walk.objects);
    return result ? PyErr_NoMemory() : PyLong_FromSize_t(walk.made);
}

#else

static PyObject *make_immortal(PyObject *module, PyObject *root)
{
    (void)module;
    (void)root;
    return PyLong_FromLong(0);
}

#endif

static PyMethodDef methods[] = {
    {"make_immortal", make_immortal, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_immortal",
    .m_doc = PyDoc_STR("See immortal.py."),
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__immortal(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddObjectRef(module, "IS_PROVED", IS_PROVED ? Py_True : Py_False) < 0)
        Py_CLEAR(module);
    return module;
}
