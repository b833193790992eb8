/*
 * Strings and numbers for JSON schemas.
 */

#include "regex.h"
#include "schemamake.h"
#include "../base/rand.h"


/* ---- strings ---- */

typedef void (*vm_format_pt)(vm_schema_t *s, vm_buf_t *b);


static void
vm_format_date(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "2026-%02u-%02u", 1 + (unsigned) vm_schema_draw(s, 12),
                  1 + (unsigned) vm_schema_draw(s, 28));
}


static void
vm_format_time(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "%02u:%02u:00Z", (unsigned) vm_schema_draw(s, 24),
                  (unsigned) vm_schema_draw(s, 60));
}


static void
vm_format_date_time(vm_schema_t *s, vm_buf_t *b)
{
    vm_format_date(s, b);
    vm_buf_char(b, 'T');
    vm_format_time(s, b);
}


static void
vm_format_duration(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "P%uD", 1 + (unsigned) vm_schema_draw(s, 30));
}


static void
vm_format_email(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "%s@example.com", vm_schema_word(s));
}


static void
vm_format_hostname(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "%s.example.com", vm_schema_word(s));
}


static void
vm_format_ipv4(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "192.0.2.%u", (unsigned) vm_schema_draw(s, 256));
}


static void
vm_format_ipv6(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "2001:db8::%x", 1 + (unsigned) vm_schema_draw(s, 65535));
}


static void
vm_format_uri(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "https://example.com/%s", vm_schema_word(s));
}


static void
vm_format_path(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "/%s", vm_schema_word(s));
}


static void
vm_format_relative(vm_schema_t *s, vm_buf_t *b)
{
    vm_buf_printf(b, "%u/%s", (unsigned) vm_schema_draw(s, 4),
                  vm_schema_word(s));
}


static void
vm_format_uuid(vm_schema_t *s, vm_buf_t *b)
{
    uint64_t  high, low;

    high = vm_rand_at(s->key, s->draws++) & 0xffffffff;
    low = vm_rand_at(s->key, s->draws++) & 0xffffffffffff;

    vm_buf_printf(b, "%08llx-1234-4abc-8def-%012llx",
                  (unsigned long long) high, (unsigned long long) low);
}


static const struct {
    const char    *name;
    vm_format_pt   write;
}  vm_formats[] = {
    { "date-time", vm_format_date_time }, { "date", vm_format_date },
    { "time", vm_format_time }, { "duration", vm_format_duration },
    { "email", vm_format_email }, { "idn-email", vm_format_email },
    { "hostname", vm_format_hostname }, { "idn-hostname", vm_format_hostname },
    { "ipv4", vm_format_ipv4 }, { "ipv6", vm_format_ipv6 },
    { "uri", vm_format_uri }, { "url", vm_format_uri },
    { "iri", vm_format_uri }, { "uri-reference", vm_format_path },
    { "iri-reference", vm_format_path }, { "uri-template", vm_format_path },
    { "json-pointer", vm_format_path },
    { "relative-json-pointer", vm_format_relative },
    { "uuid", vm_format_uuid }
};


static vm_format_pt
vm_schema_format(const vm_all_t *all)
{
    size_t       i;
    const char  *name;

    name = json_string_value(vm_all_first(all, "format", JSON_STRING));

    for (i = 0; name && i < vm_nelts(vm_formats); i++) {
        if (strcmp(name, vm_formats[i].name) == 0) {
            return vm_formats[i].write;
        }
    }

    return NULL;
}


static void
vm_schema_letters(vm_schema_t *s, size_t min, size_t max, vm_buf_t *b)
{
    vm_buf_str(b, vm_schema_word(s));

    while (b->len < min) {
        vm_buf_char(b, (char) ('a' + vm_schema_draw(s, 26)));
    }

    b->len = vm_min(b->len, max);
}


/* A text for a pattern, drawn until its length is right, too. */

void
vm_schema_pattern(vm_schema_t *s, const json_t *pattern, size_t min,
    size_t max, vm_buf_t *b)
{
    size_t       n;
    unsigned     i, more;
    vm_buf_t     why;
    vm_pool_t   *pool;
    vm_regex_t  *re;

    pool = vm_pool_create(1024);
    if (pool == NULL) {
        return;
    }

    vm_buf_init(&why);
    re = vm_regex_parse(json_string_value(pattern),
                        json_string_length(pattern), 1, pool, &why);
    vm_schema_work(s, json_string_length(pattern) / 64);

    for (i = 0; re && i < VM_SCHEMA_TRIES && s->steps; i++) {
        more = (unsigned) (i % 4 == 0 ? 3 : vm_min(min * (i % 4), 1000));
        vm_buf_reset(b);
        vm_regex_write(re, vm_rand_at(s->key, s->draws++), more, b);
        vm_schema_work(s, b->len / 64);
        n = vm_schema_length(b->data ? b->data : "", b->len);

        if (n >= min && n <= max) {
            break;
        }
    }

    /* a pattern that is open at its end may go on */

    n = vm_schema_length(b->data ? b->data : "", b->len);
    i = (unsigned) json_string_length(pattern);

    if (n < min && i && json_string_value(pattern)[i - 1] != '$') {
        while (n++ < min) {
            vm_buf_char(b, (char) ('a' + vm_schema_draw(s, 26)));
        }
    }

    vm_buf_free(&why);
    vm_pool_destroy(pool);
}


json_t *
vm_schema_string(vm_schema_t *s, const vm_all_t *all)
{
    size_t         max, min;
    json_t        *v;
    vm_buf_t       b;
    vm_format_pt   format;
    const json_t  *pattern;

    min = vm_all_count(all, "minLength", 1, s->bytes);
    max = vm_all_count(all, "maxLength", 0, s->bytes);

    if (min > max) {
        return NULL;
    }

    vm_buf_init(&b);

    pattern = vm_all_first(all, "pattern", JSON_STRING);
    format = vm_schema_format(all);

    if (pattern) {
        vm_schema_pattern(s, pattern, min, max, &b);

    } else if (format) {
        format(s, &b);

    } else {
        vm_schema_letters(s, min, max, &b);
    }

    s->bytes -= vm_min(s->bytes, b.len);
    v = json_stringn(b.data ? b.data : "", b.len);
    vm_buf_free(&b);

    return v;
}


/* ---- numbers ---- */

/*
 * Bounds; *open says that the lower one is not allowed itself, which for an
 * integer it is the next one.
 */

static void
vm_schema_range(const vm_all_t *all, int whole, double *low, double *high,
    int *open)
{
    double  above, below;

    *low = vm_all_bound(all, "minimum", 1);
    *high = vm_all_bound(all, "maximum", 0);
    above = vm_all_bound(all, "exclusiveMinimum", 1);
    below = vm_all_bound(all, "exclusiveMaximum", 0);
    *open = 0;

    if (whole) {
        *low = fmax(ceil(*low), floor(above) + 1);      /* NAN loses */
        *high = fmin(floor(*high), ceil(below) - 1);
        return;
    }

    if (!isnan(above) && !(above < *low)) {
        *low = above;
        *open = 1;
    }

    if (!isnan(below) && !(below > *high)) {
        *high = below - fmin(fabs(below) * 1e-6, 1e-6);
        *high = isnan(*low) ? *high : fmax(*high, (*low + below) / 2);
    }
}


/* A multiple of all: for integers the least common one. */

static double
vm_schema_multiple(const vm_all_t *all, int whole)
{
    double         a, b, of, rest;
    unsigned       i;
    const json_t  *v;

    of = whole ? 1 : 0;

    for (i = 0; i < all->n; i++) {
        v = json_object_get(all->list[i], "multipleOf");
        b = fabs(json_number_value(v));

        if (!json_is_number(v) || b == 0) {
            continue;
        }

        if (of == 0) {
            of = b;
            continue;
        }

        /* Euclid's, where a rest is a rest */

        for (a = of; b > a * 1e-12 && b > 1e-12; b = rest) {
            rest = fmod(a, b);
            rest = rest > b * (1 - 1e-9) ? 0 : rest;
            a = b;
        }

        of = of / a * fabs(json_number_value(v));
    }

    return of;
}


/* 0.01 times a count has a tail, a count by 100 has none. */

static double
vm_schema_times(double count, double of)
{
    double  parts;

    parts = round(1 / of);

    return of < 1 && fabs(parts * of - 1) < 1e-9 ? count / parts : count * of;
}


json_t *
vm_schema_number(vm_schema_t *s, const vm_all_t *all, int whole)
{
    int       open;
    double    count, first, high, low, of, v;
    unsigned  i;

    vm_schema_range(all, whole, &low, &high, &open);
    of = vm_schema_multiple(all, whole);

    if (isnan(low) && isnan(high)) {
        low = 0;
    }

    if (isnan(high)) {
        high = low + 100 * fmax(of, 1);
    }

    if (isnan(low)) {
        low = high - 100 * fmax(of, 1);
    }

    if (low > high) {
        return NULL;
    }

    v = low;

    for (i = 0; i < VM_SCHEMA_TRIES; i++) {

        if (of > 0) {
            first = ceil(low / of - 1e-9);
            first += open && vm_schema_times(first, of) <= low;
            count = floor(high / of + 1e-9) - first + 1;

            if (count < 1) {
                return NULL;
            }

            v = vm_schema_times(first + (double) vm_schema_draw(s,
                                            (uint64_t) fmin(count, 1e15)),
                                of);

        } else {
            v = low + (high - low) * (double) (open + vm_schema_draw(s, 1000))
                      / (1000 + open);

            /* cents, where the range has room for them */

            v = high - low >= 1 && fabs(v) < 1e9
                && round(v * 100) / 100 > low && round(v * 100) / 100 < high
                ? round(v * 100) / 100 : v;
        }

        if (of == 0 || whole || v / of == floor(v / of)) {
            break;
        }
    }

    return v == floor(v) && (whole ? fabs(v) < 9e18
                                   : fabs(v) < 1e15 && of >= 1)
           ? json_integer((json_int_t) v) : json_real(v);
}
