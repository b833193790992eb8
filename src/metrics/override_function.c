/*
 * Values of overrides: numbers, and functions of the time since they were set.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "override_parts.h"


typedef struct {
    const char  *name;
    vm_func_e    func;
    unsigned     period:1;          /* lo:hi:period, else one number */
} vm_override_func_t;


static int vm_override_period(const char *text, size_t len, double *seconds);


static const vm_override_func_t  vm_override_funcs[] = {
    { "rate", VM_FUNC_RATE, 0 },
    { "oscillate", VM_FUNC_OSCILLATE, 1 },
    { "ramp", VM_FUNC_RAMP, 1 },
    { "rampreset", VM_FUNC_RAMPRESET, 1 },
    { "squarewave", VM_FUNC_SQUAREWAVE, 1 }
};


const char  vm_override_functions[] =
    "\"oscillate:lo:hi:period\", \"ramp:from:to:period\", "
    "\"rampreset:from:to:period\", \"squarewave:lo:hi:period\" or "
    "\"rate:per_second\"";


int
vm_override_function(vm_override_t *v, const char *text)
{
    size_t                     i, n;
    const char                *p, *colon;
    const vm_override_func_t  *f;

    colon = strchr(text, ':');
    if (colon == NULL) {
        return VM_ERROR;
    }

    n = (size_t) (colon - text);
    p = colon + 1;

    for (i = 0; i < vm_nelts(vm_override_funcs); i++) {
        f = &vm_override_funcs[i];

        if (strlen(f->name) != n || memcmp(f->name, text, n) != 0) {
            continue;
        }

        v->func = (uint8_t) f->func;

        if (!f->period) {
            return vm_override_number(p, strlen(p), &v->a);
        }

        colon = strchr(p, ':');

        if (colon == NULL
            || vm_override_number(p, (size_t) (colon - p), &v->a) != VM_OK)
        {
            return VM_ERROR;
        }

        p = colon + 1;
        colon = strchr(p, ':');

        if (colon == NULL
            || vm_override_number(p, (size_t) (colon - p), &v->b) != VM_OK)
        {
            return VM_ERROR;
        }

        return vm_override_period(colon + 1, strlen(colon + 1), &v->period);
    }

    return VM_ERROR;
}


int
vm_override_number(const char *text, size_t len, double *value)
{
    char  *end, copy[64];

    if (len == 0 || len >= sizeof(copy)) {
        return VM_ERROR;
    }

    memcpy(copy, text, len);
    copy[len] = '\0';

    if (strspn(copy, "0123456789+-.eE") != len) {
        return VM_ERROR;
    }

    *value = strtod(copy, &end);

    return *end == '\0' && isfinite(*value) ? VM_OK : VM_ERROR;
}


/* Seconds, or with a unit. */

static int
vm_override_period(const char *text, size_t len, double *seconds)
{
    size_t  i, n;

    static const struct {
        const char  *name;
        double       seconds;
    } units[] = {
        { "ms", 0.001 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "", 1 }
    };

    for (i = 0; i < vm_nelts(units); i++) {
        n = strlen(units[i].name);

        if (len > n && memcmp(text + len - n, units[i].name, n) == 0
            && vm_override_number(text, len - n, seconds) == VM_OK)
        {
            *seconds *= units[i].seconds;
            return *seconds > 0 ? VM_OK : VM_ERROR;
        }
    }

    return VM_ERROR;
}


double
vm_override_at(const vm_override_t *v, uint32_t replicas, double now)
{
    double  t, value;

    t = vm_max(now - v->since, 0);

    switch ((vm_func_e) v->func) {

    case VM_FUNC_OSCILLATE:
        value = v->a + (v->b - v->a)
                       * (1 - cos(2 * M_PI * fmod(t, v->period) / v->period))
                       / 2;
        break;

    case VM_FUNC_RAMP:
        value = v->a + (v->b - v->a) * vm_min(t / v->period, 1);
        break;

    case VM_FUNC_RAMPRESET:
        value = v->a + (v->b - v->a) * fmod(t, v->period) / v->period;
        break;

    case VM_FUNC_SQUAREWAVE:
        value = fmod(t, v->period) < v->period / 2 ? v->a : v->b;
        break;

    case VM_FUNC_RATE:
        value = v->b + v->a * t;
        break;

    default:
        value = v->a;
        break;
    }

    return v->divided ? value / (double) vm_max(replicas, 1u) : value;
}


void
vm_override_json(const vm_override_t *v, vm_buf_t *out)
{
    size_t                     i;
    const vm_override_func_t  *f;

    vm_buf_str(out, v->divided ? "{\"total\":" : "");

    if (v->func == VM_FUNC_CONSTANT) {
        vm_buf_double(out, v->a);
    }

    for (i = 0; i < vm_nelts(vm_override_funcs); i++) {
        f = &vm_override_funcs[i];

        if (f->func != (vm_func_e) v->func) {
            continue;
        }

        vm_buf_printf(out, "\"%s:", f->name);
        vm_buf_double(out, v->a);

        if (f->period) {
            vm_buf_char(out, ':');
            vm_buf_double(out, v->b);
            vm_buf_char(out, ':');
            vm_buf_double(out, v->period);
        }

        vm_buf_char(out, '"');
    }

    vm_buf_str(out, v->divided ? "}" : "");
}
