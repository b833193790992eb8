/*
 * vLLM's shape of errors.
 */

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include "error.h"


#define VM_BAD_REQUEST  "BadRequestError"


int
vm_error_set(vm_error_t *e, int status, const char *type, const char *param,
    const char *message)
{
    e->status = status;
    e->type = type;
    e->param = param;
    e->message = message;
    e->detail = 0;
    e->outside = 0;

    return VM_ERROR;
}


int
vm_error_python(vm_error_t *e, vm_pool_t *pool, int status,
    const char *message)
{
    vm_error_printf(e, pool, status,
                    status == 500 ? "InternalServerError" : VM_BAD_REQUEST,
                    NULL, "%s", message);
    e->outside = 1;

    return VM_ERROR;
}


int
vm_error_printf(vm_error_t *e, vm_pool_t *pool, int status, const char *type,
    const char *param, const char *fmt, ...)
{
    int      n;
    char    *text;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    text = n < 0 ? NULL : vm_pool_alloc(pool, (size_t) n + 1);
    if (text == NULL) {
        return vm_error_memory(e);
    }

    va_start(args, fmt);
    vsnprintf(text, (size_t) n + 1, fmt, args);
    va_end(args);

    return vm_error_set(e, status, type, param, text);
}


int
vm_error_detail(vm_error_t *e, int status, const char *message)
{
    vm_error_set(e, status, NULL, NULL, message);
    e->detail = 1;

    return VM_ERROR;
}


int
vm_error_memory(vm_error_t *e)
{
    return vm_error_set(e, 500, "InternalServerError", NULL,
                        "Internal server error");
}


int
vm_error_bad(vm_error_t *e, const char *message)
{
    return vm_error_set(e, 400, VM_BAD_REQUEST, NULL, message);
}


int
vm_error_param(vm_error_t *e, vm_pool_t *pool, const char *param,
    const char *message)
{
    return vm_error_printf(e, pool, 400, VM_BAD_REQUEST, param,
                           "%s (parameter=%s)", message, param);
}


int
vm_error_text(vm_error_t *e, vm_pool_t *pool, const char *param,
    const char *value, const char *message)
{
    return vm_error_printf(e, pool, 400, VM_BAD_REQUEST, param,
                           "%s (parameter=%s, value=%s)", message, param,
                           value);
}


int
vm_error_value(vm_error_t *e, vm_pool_t *pool, const char *param,
    const json_t *value, const char *message)
{
    char      *text;
    vm_buf_t   b;

    vm_buf_init(&b);
    vm_value_str(&b, value);

    text = b.failed ? NULL : vm_pool_strdup(pool, b.data, b.len);
    vm_buf_free(&b);

    return text ? vm_error_text(e, pool, param, text, message)
                : vm_error_memory(e);
}


static int
vm_error_word(char c)
{
    return isalnum((unsigned char) c) || c == '_' || c == '-'
           || (unsigned char) c >= 0x80;
}


/* The length of a path below one of the usual directories; 0: none. */

static size_t
vm_error_system_path(const char *s)
{
    size_t                    i, n;
    static const char *const  roots[] = {
        "/home", "/usr", "/opt", "/var", "/tmp", "/root", "/lib", "/mnt",
        "/srv"
    };

    for (i = 0; i < vm_nelts(roots); i++) {
        n = strlen(roots[i]);

        if (strncmp(s, roots[i], n) != 0) {
            continue;
        }

        while (s[n] == '/' && (vm_error_word(s[n + 1]) || s[n + 1] == '.')) {
            for (n++; vm_error_word(s[n]) || s[n] == '.'; n++) { /* void */ }
        }

        return n > strlen(roots[i]) ? n : 0;
    }

    return 0;
}


/* Of a path whose last part, not the first, has a suffix. */

static size_t
vm_error_file_path(const char *s)
{
    size_t    n;
    unsigned  parts;

    n = 0;
    parts = 0;

    while (s[n] == '/' && vm_error_word(s[n + 1])) {
        for (n++; vm_error_word(s[n]); n++) { /* void */ }

        parts++;
    }

    if (parts < 2 || s[n] != '.' || s[n + 1] == '-'
        || !vm_error_word(s[n + 1]))
    {
        return 0;
    }

    for (n++; vm_error_word(s[n]) && s[n] != '-'; n++) { /* void */ }

    return n;
}


static void
vm_error_hide(vm_buf_t *out, const char *s, size_t (*path)(const char *s))
{
    size_t  n;

    while (*s) {
        n = *s == '/' ? path(s) : 0;

        if (n) {
            vm_buf_lit(out, "<path>");
            s += n;

        } else {
            vm_buf_char(out, *s++);
        }
    }

    vm_buf_char(out, '\0');
}


/* vLLM tells no paths in its messages, whoever wrote them there. */

static void
vm_error_message(vm_buf_t *b, const char *message)
{
    vm_buf_t  first, second;

    if (strchr(message, '/') == NULL) {
        vm_buf_json(b, message, strlen(message));
        return;
    }

    vm_buf_init(&first);
    vm_buf_init(&second);

    vm_error_hide(&first, message, vm_error_system_path);
    vm_error_hide(&second, first.failed ? "" : first.data,
                  vm_error_file_path);

    if (!second.failed) {
        vm_buf_json(b, second.data, second.len - 1);
    }

    vm_buf_free(&first);
    vm_buf_free(&second);
}


void
vm_error_render(vm_buf_t *b, const vm_error_t *e, int spaced)
{
    const char  *colon, *comma;

    colon = spaced ? ": " : ":";
    comma = spaced ? ", " : ",";

    if (e->detail) {
        vm_buf_lit(b, "{\"detail\":");
        vm_buf_json(b, e->message, strlen(e->message));
        vm_buf_char(b, '}');
        return;
    }

    if (e->anthropic) {
        vm_buf_lit(b, "{\"type\":\"error\",\"error\":{\"type\":");
        vm_buf_json(b, e->type, strlen(e->type));
        vm_buf_lit(b, ",\"message\":");
        vm_error_message(b, e->message);
        vm_buf_lit(b, "}}");
        return;
    }

    vm_buf_printf(b, "{\"error\"%s{\"message\"%s", colon, colon);
    vm_error_message(b, e->message);
    vm_buf_printf(b, "%s\"type\"%s\"%s\"%s\"param\"%s", comma, colon, e->type,
                  comma, colon);

    if (e->param) {
        vm_buf_json(b, e->param, strlen(e->param));

    } else {
        vm_buf_lit(b, "null");
    }

    vm_buf_printf(b, "%s\"code\"%s%d}}", comma, colon, e->status);
}
