/*
 * A schema in a prompt's text.  Instructor, LangChain and LlamaIndex write it
 * as JSON among their words (LangChain an example before it, so the last one
 * counts); DSPy's JSONAdapter writes an object whose values are the names of
 * its fields in braces, with a note of what each must be.
 */

#include "constraint.h"
#include "message.h"
#include "prompted.h"
#include "schema.h"


/* What DSPy's notes say of a field, and its schema. */

typedef enum {
    VM_NOTE_PLAIN,
    VM_NOTE_SCHEMA,                 /* it follows */
    VM_NOTE_LIST                    /* values follow, with "; " between */
} vm_note_e;

static const struct {
    const char  *note;
    vm_note_e    kind;
    const char  *type;
}  vm_prompted_notes[] = {
    { "must adhere to the JSON schema: ", VM_NOTE_SCHEMA, NULL },
    { "must exactly match (no extra characters) one of: ", VM_NOTE_LIST, NULL },
    { "must be one of: ", VM_NOTE_LIST, NULL },
    { "must be True or False", VM_NOTE_PLAIN, "boolean" },
    { "must be a single float value", VM_NOTE_PLAIN, "number" },
    { "must be a single int value", VM_NOTE_PLAIN, "integer" },
    { "", VM_NOTE_PLAIN, "string" }
};


/* Whether all members or items are schemas; there must be one. */

static int
vm_prompted_schemas(const json_t *v)
{
    size_t       i;
    json_t      *item;
    const char  *name;

    json_object_foreach((json_t *) v, name, item) {
        if (!json_is_object(item) && !json_is_boolean(item)) {
            return 0;
        }
    }

    json_array_foreach(v, i, item) {
        if (!json_is_object(item)) {
            return 0;
        }
    }

    return json_object_size(v) || json_array_size(v);
}


/* Data has members of these names, too, but not with such values. */

static int
vm_prompted_is(const json_t *v)
{
    size_t                    i;
    const char               *type;
    static const char *const  keywords[] = {
        "properties", "anyOf", "oneOf", "allOf", "patternProperties"
    };

    for (i = 0; i < vm_nelts(keywords); i++) {
        if (vm_prompted_schemas(json_object_get(v, keywords[i]))) {
            return 1;
        }
    }

    type = json_string_value(json_object_get(v, "type"));

    if (type && strcmp(type, "array") == 0) {
        return json_is_object(json_object_get(v, "items"));
    }

    if (type && strcmp(type, "object") == 0) {
        return json_object_size(v) == 1
               || json_object_get(v, "additionalProperties") != NULL
               || json_object_get(v, "properties") != NULL;
    }

    return json_is_string(json_object_get(v, "$ref"))
           && (json_is_object(json_object_get(v, "$defs"))
               || json_is_object(json_object_get(v, "definitions")));
}


/* One value of a text's JSON; *used: bytes that it takes, or that failed. */

static json_t *
vm_prompted_read(const char *text, size_t len, size_t *used, size_t *work)
{
    json_t        *v;
    json_error_t   e;

    v = json_loadb(text, vm_min(len, *work),
                   JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &e);

    *used = e.position > 0 ? (size_t) e.position : 1;
    *work -= vm_min(*work, *used);

    return v;
}


static json_t *
vm_prompted_list(const char *text)
{
    json_t      *list;
    const char  *end;

    list = json_array();

    for ( ;; ) {
        end = strstr(text, "; ");
        json_array_append_new(list, json_stringn(text, end
                                                 ? (size_t) (end - text)
                                                 : strlen(text)));

        if (end == NULL) {
            return json_pack("{so}", "enum", list);
        }

        text = end + 2;
    }
}


static json_t *
vm_prompted_field(const char *text, size_t *work)
{
    size_t       i, used;
    const char  *note;

    for (i = 0; ; i++) {
        note = strstr(text, vm_prompted_notes[i].note);

        if (note) {
            break;
        }
    }

    note += strlen(vm_prompted_notes[i].note);

    switch (vm_prompted_notes[i].kind) {

    case VM_NOTE_SCHEMA:
        return vm_prompted_read(note, strlen(note), &used, work);

    case VM_NOTE_LIST:
        return vm_prompted_list(note);

    default: /* VM_NOTE_PLAIN */
        return json_pack("{ss}", "type", vm_prompted_notes[i].type);
    }
}


/*
 * Definitions of a field's schema are referred to from its own root: they
 * become the whole's.
 */

static void
vm_prompted_hoist(json_t *whole, json_t *field)
{
    json_t  *all, *own;

    own = json_object_get(field, "$defs");

    if (own == NULL) {
        return;
    }

    all = json_object_get(whole, "$defs");

    if (all == NULL) {
        json_object_set(whole, "$defs", own);

    } else {
        json_object_update_missing(all, own);
    }

    json_object_del(field, "$defs");
}


/* The schema of an object whose values are places: {"a": "{a}  # note"}. */

static json_t *
vm_prompted_places(const json_t *v, size_t *work)
{
    size_t       len;
    json_t      *field, *names, *place, *properties, *whole;
    const char  *name, *text;

    if (json_object_size(v) == 0) {
        return NULL;
    }

    json_object_foreach((json_t *) v, name, place) {
        text = json_string_value(place);
        len = strlen(name);

        if (text == NULL || text[0] != '{'
            || strncmp(text + 1, name, len) != 0 || text[len + 1] != '}')
        {
            return NULL;
        }
    }

    names = json_array();
    properties = json_object();
    whole = json_pack("{ss so so sb}", "type", "object", "properties",
                      properties, "required", names, "additionalProperties",
                      0);

    json_object_foreach((json_t *) v, name, place) {
        field = vm_prompted_field(json_string_value(place), work);

        if (field == NULL) {
            field = json_object();
        }

        vm_prompted_hoist(whole, field);
        json_object_set_new(properties, name, field);
        json_array_append_new(names, json_string(name));
    }

    return whole;
}


/* The last schema of a text; NULL: it has none. */

static json_t *
vm_prompted_text(const char *text, size_t len, size_t *work)
{
    size_t       used;
    json_t      *found, *places, *v;
    const char  *end, *p;

    found = NULL;
    end = text + len;

    for (p = text; *work && p < end; p += used) {
        p = memchr(p, '{', (size_t) (end - p));

        if (p == NULL) {
            break;
        }

        v = vm_prompted_read(p, (size_t) (end - p), &used, work);

        if (v == NULL) {
            used = 1;                   /* words in braces */
            continue;
        }

        if (!vm_prompted_is(v)) {
            places = vm_prompted_places(v, work);
            json_decref(v);
            v = places;
        }

        if (v) {
            json_decref(found);
            found = v;
        }
    }

    /* LangChain leaves out that it is an object */

    if (json_object_get(found, "properties")
        && json_object_get(found, "type") == NULL)
    {
        json_object_set_new(found, "type", json_string("object"));
    }

    return found;
}


json_t *
vm_prompted_schema(const json_t *said, size_t *work)
{
    size_t         i, k;
    json_t        *found;
    vm_buf_t       b;
    const char    *role;
    const json_t  *message;

    static const char *const  roles[] = { "user", "system", "developer" };

    if (json_is_string(said)) {
        return vm_prompted_text(json_string_value(said),
                                json_string_length(said), work);
    }

    found = NULL;

    for (i = json_array_size(said); i > 0 && found == NULL; i--) {
        message = json_array_get(said, i - 1);
        role = json_string_value(json_object_get(message, "role"));

        for (k = 0; k < vm_nelts(roles); k++) {
            if (role && strcmp(role, roles[k]) == 0) {
                break;
            }
        }

        if (k == vm_nelts(roles)) {
            continue;
        }

        vm_buf_init(&b);
        vm_message_text(message, &b);

        if (b.len) {
            found = vm_prompted_text(b.data, b.len, work);
        }

        vm_buf_free(&b);
    }

    return found;
}


void
vm_prompted_find(vm_generation_t *g, const vm_prompt_t *p, size_t *work)
{
    int         object;
    json_t     *schema;
    vm_error_t  e;

    json_decref(g->prompted);
    g->prompted = NULL;
    object = vm_constraint_any_object(g->constraint);

    if (object || (g->constraint == NULL && g->lengths == NULL
                   && g->allowed == NULL && g->call->output->schema_prompt))
    {
        schema = vm_prompted_schema(p->said, work);
        memset(&e, 0, sizeof(vm_error_t));

        if (schema && vm_schema_check(schema, &e, g->pool) == VM_OK
            && (!object || vm_schema_types(schema) == VM_SCHEMA_OBJECT))
        {
            g->prompted = schema;

        } else {
            json_decref(schema);
        }
    }
}
