/*
 * The catalog of profiles: names to files.
 */

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include "catalog.h"


#define VM_CATALOG_NAME  128


typedef struct {
    json_t      *profiles;
    json_t      *aliases;
    char         device[VM_CATALOG_NAME];
    const char  *model;             /* what the name stands for; NULL */
    uint32_t     tp;
    char        *err;
    size_t       size;
} vm_catalog_t;


static const char *vm_catalog_model(vm_catalog_t *c, const char *name);
static const char *vm_catalog_named(vm_catalog_t *c, const char *name);
static json_t *vm_catalog_entry(vm_catalog_t *c);
static void vm_catalog_missing(vm_catalog_t *c, const char *name,
    json_t *entry);
static void vm_catalog_models(vm_catalog_t *c);
static void vm_catalog_devices(vm_catalog_t *c);
static void vm_catalog_say(vm_catalog_t *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


static void
vm_catalog_lower(char *to, size_t size, const char *from)
{
    size_t  i;

    for (i = 0; from[i] && i + 1 < size; i++) {
        to[i] = (char) tolower((unsigned char) from[i]);
    }

    to[i] = '\0';
}


static int
vm_catalog_equal(const char *a, const char *b)
{
    while (*a && tolower((unsigned char) *a) == tolower((unsigned char) *b)) {
        a++;
        b++;
    }

    return *a == *b;
}


static const char *
vm_catalog_tail(const char *name)
{
    const char  *slash;

    slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}


static const char *
vm_catalog_text(const json_t *o, const char *key)
{
    const char  *s;

    s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}


static uint32_t
vm_catalog_tp(const json_t *o)
{
    return (uint32_t) json_integer_value(json_object_get(o, "tp"));
}


static int
vm_catalog_file(const json_t *o)
{
    return json_is_integer(json_object_get(o, "bytes"));
}


int
vm_catalog_find(const char *index, size_t len, const char *device,
    const char *model, uint32_t tp, char path[VM_CATALOG_PATH], char *err,
    size_t errlen)
{
    int            rc;
    char           name[VM_CATALOG_NAME];
    json_t        *root, *entry;
    json_error_t   error;
    vm_catalog_t   c;

    memset(&c, 0, sizeof(vm_catalog_t));
    c.err = err;
    c.size = errlen;
    c.tp = tp;
    err[0] = '\0';

    root = json_loadb(index, len, 0, &error);
    c.profiles = json_object_get(root, "profiles");
    c.aliases = json_object_get(root, "aliases");

    if (!json_is_array(c.profiles) || !json_is_object(c.aliases)) {
        vm_catalog_say(&c, "the index of profiles holds no \"profiles\" and "
                       "\"aliases\"");
        json_decref(root);
        return VM_ERROR;
    }

    vm_catalog_lower(c.device, sizeof(c.device), device);
    vm_catalog_lower(name, sizeof(name), model);

    c.model = vm_catalog_model(&c, name);
    entry = vm_catalog_entry(&c);
    rc = VM_OK;

    if (entry && vm_catalog_file(entry)) {
        snprintf(path, VM_CATALOG_PATH, "%s/%s-tp%u.json", c.device, c.model,
                 vm_catalog_tp(entry));

    } else {
        vm_catalog_missing(&c, name, entry);
        rc = VM_ERROR;
    }

    json_decref(root);

    return rc;
}


/* A model, an alias; then both by the part after the last slash. */

static const char *
vm_catalog_model(vm_catalog_t *c, const char *name)
{
    const char  *model, *alias, *tail;
    json_t      *value;

    model = vm_catalog_named(c, name);

    if (model) {
        return model;
    }

    json_object_foreach(c->aliases, alias, value) {
        if (vm_catalog_equal(alias, name)) {
            return json_string_value(value);
        }
    }

    tail = vm_catalog_tail(name);
    model = vm_catalog_named(c, tail);

    if (model) {
        return model;
    }

    json_object_foreach(c->aliases, alias, value) {
        if (vm_catalog_equal(alias, tail)
            || vm_catalog_equal(vm_catalog_tail(alias), tail))
        {
            return json_string_value(value);
        }
    }

    return NULL;
}


static const char *
vm_catalog_named(vm_catalog_t *c, const char *name)
{
    size_t   i;
    json_t  *o;

    json_array_foreach(c->profiles, i, o) {
        if (vm_catalog_equal(vm_catalog_text(o, "model"), name)) {
            return vm_catalog_text(o, "model");
        }
    }

    return NULL;
}


/* Preferably one that has a file; else one that says why there is none. */

static json_t *
vm_catalog_entry(vm_catalog_t *c)
{
    size_t   i;
    json_t  *o, *best;

    best = NULL;

    if (c->model == NULL) {
        return NULL;
    }

    json_array_foreach(c->profiles, i, o) {

        if (strcmp(vm_catalog_text(o, "device"), c->device) != 0
            || strcmp(vm_catalog_text(o, "model"), c->model) != 0
            || (c->tp && vm_catalog_tp(o) != c->tp))
        {
            continue;
        }

        if (best == NULL || vm_catalog_file(o) > vm_catalog_file(best)
            || (vm_catalog_file(o) == vm_catalog_file(best)
                && vm_catalog_tp(o) < vm_catalog_tp(best)))
        {
            best = o;
        }
    }

    return best;
}


static void
vm_catalog_missing(vm_catalog_t *c, const char *name, json_t *entry)
{
    vm_catalog_say(c, "no profile of model \"%s\" on device \"%s\"", name,
                   c->device);

    if (c->tp) {
        vm_catalog_say(c, " with tensor parallel size %u", c->tp);
    }

    if (entry) {
        vm_catalog_say(c, " (%s)", vm_catalog_text(entry, "basis"));
    }

    vm_catalog_models(c);

    if (c->model == NULL) {
        vm_catalog_say(c, "; the model is not known by that name");

    } else {
        vm_catalog_devices(c);
    }
}


/*
 * Whether a row counts and is the first of its kind: of a device's rows the
 * first of a model (key "model"), of a model's rows the first of a device.
 * Rows of one kind need not stand together.
 */

static int
vm_catalog_first(const vm_catalog_t *c, size_t row, const char *key,
    const char *within, const char *value)
{
    size_t       i;
    json_t      *o;
    const char  *kind;

    o = json_array_get(c->profiles, row);
    kind = vm_catalog_text(o, key);

    for (i = 0; i <= row; i++) {
        o = json_array_get(c->profiles, i);

        if (vm_catalog_file(o) && strcmp(vm_catalog_text(o, key), kind) == 0
            && (within == NULL
                || strcmp(vm_catalog_text(o, within), value) == 0))
        {
            return i == row;
        }
    }

    return 0;
}


/* The models of the device, or the devices if it is none. */

static void
vm_catalog_models(vm_catalog_t *c)
{
    size_t   i, n;
    json_t  *o;

    n = 0;

    json_array_foreach(c->profiles, i, o) {
        if (vm_catalog_first(c, i, "model", "device", c->device)) {
            vm_catalog_say(c, "%s%s", n++ ? ", " : "; models of this device: ",
                           vm_catalog_text(o, "model"));
        }
    }

    if (n) {
        return;
    }

    json_array_foreach(c->profiles, i, o) {
        if (vm_catalog_first(c, i, "device", NULL, NULL)) {
            vm_catalog_say(c, "%s%s", n++ ? ", " : "; devices are ",
                           vm_catalog_text(o, "device"));
        }
    }
}


/* The devices of the model, with the degrees that have a file. */

static void
vm_catalog_devices(vm_catalog_t *c)
{
    size_t       i, k, n;
    json_t      *o, *other;
    const char  *device;

    n = 0;

    json_array_foreach(c->profiles, i, o) {

        if (!vm_catalog_first(c, i, "device", "model", c->model)) {
            continue;
        }

        device = vm_catalog_text(o, "device");
        vm_catalog_say(c, "%s%s tp", n++ ? ", " : "; devices of this model: ",
                       device);

        json_array_foreach(c->profiles, k, other) {

            if (vm_catalog_file(other)
                && strcmp(vm_catalog_text(other, "model"), c->model) == 0
                && strcmp(vm_catalog_text(other, "device"), device) == 0)
            {
                vm_catalog_say(c, " %u", vm_catalog_tp(other));
            }
        }
    }
}


/* More text behind the message so far, cut where it is full. */

static void
vm_catalog_say(vm_catalog_t *c, const char *fmt, ...)
{
    int      n;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(c->err, c->size, fmt, args);
    va_end(args);

    if (n > 0) {
        n = vm_min(n, (int) c->size - 1);
        c->err += n;
        c->size -= (size_t) n;
    }
}
