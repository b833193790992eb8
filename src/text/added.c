/*
 * Added tokens: a trie over their bytes.
 */

#include <stdlib.h>
#include "added.h"
#include "unicode.h"


#define VM_ADDED_MIN  256


static uint32_t vm_added_child(const vm_added_t *a, uint32_t node,
    unsigned char c);
static uint32_t vm_added_node(vm_added_t *a, unsigned char c);
static int vm_added_in_word(const char *s, size_t len, size_t start,
    size_t end);
static size_t vm_added_before(const char *s, size_t i);


void
vm_added_free(vm_added_t *a)
{
    free(a->nodes);
    memset(a, 0, sizeof(vm_added_t));
}


void
vm_added_set(vm_added_t *a, vm_str_t text, uint32_t id, unsigned flags)
{
    size_t         i;
    uint32_t       child, node;
    unsigned char  c;

    if (text.len == 0) {
        return;
    }

    if (a->n == 0) {
        (void) vm_added_node(a, 0);
    }

    node = 0;

    for (i = 0; i < text.len && !a->failed; i++) {
        c = (unsigned char) text.data[i];
        child = vm_added_child(a, node, c);

        if (child == 0) {
            child = vm_added_node(a, c);

            if (a->failed) {
                return;
            }

            a->nodes[child].sibling = a->nodes[node].child;
            a->nodes[node].child = child;
        }

        node = child;
    }

    if (!a->failed) {
        a->first[(unsigned char) text.data[0]] = 1;
        a->nodes[node].id = id;
        a->nodes[node].flags = (uint8_t) flags;
    }
}


int
vm_added_next(const vm_added_t *a, const char *s, size_t len, size_t from,
    vm_added_match_t *m)
{
    size_t    end, i, k, n;
    uint32_t  found, node;
    unsigned  flags;

    if (a->n == 0) {
        return 0;
    }

    for (i = from; i < len; i++) {

        if (!a->first[(unsigned char) s[i]]) {
            continue;
        }

        node = 0;
        found = 0;
        end = i;

        for (k = i; k < len; k++) {
            node = vm_added_child(a, node, (unsigned char) s[k]);

            if (node == 0) {
                break;
            }

            if (a->nodes[node].id != VM_NEVER) {
                found = node;
                end = k + 1;
            }
        }

        if (found == 0) {
            continue;
        }

        flags = a->nodes[found].flags;

        if (flags & VM_ADDED_SINGLE && vm_added_in_word(s, len, i, end)) {
            i = end - 1;
            continue;
        }

        m->start = i;
        m->end = end;
        m->id = a->nodes[found].id;

        while (flags & VM_ADDED_LSTRIP && m->start > from) {
            k = vm_added_before(s, m->start);

            if (k < from || !(vm_char_at(s, len, k, &n) & VM_CHAR_SPACE)) {
                break;
            }

            m->start = k;
        }

        while (flags & VM_ADDED_RSTRIP
               && vm_char_at(s, len, m->end, &n) & VM_CHAR_SPACE)
        {
            m->end += n;
        }

        return 1;
    }

    return 0;
}


static uint32_t
vm_added_child(const vm_added_t *a, uint32_t node, unsigned char c)
{
    node = a->nodes[node].child;

    while (node && a->nodes[node].byte != c) {
        node = a->nodes[node].sibling;
    }

    return node;
}


static uint32_t
vm_added_node(vm_added_t *a, unsigned char c)
{
    uint32_t          size;
    vm_added_node_t  *nodes;

    if (a->n == a->size) {
        size = vm_max(2 * a->size, VM_ADDED_MIN);
        nodes = realloc(a->nodes, size * sizeof(vm_added_node_t));

        if (nodes == NULL) {
            a->failed = 1;
            return 0;
        }

        a->nodes = nodes;
        a->size = size;
    }

    memset(&a->nodes[a->n], 0, sizeof(vm_added_node_t));
    a->nodes[a->n].byte = c;
    a->nodes[a->n].id = VM_NEVER;

    return a->n++;
}


/* The start of the character before. */

static size_t
vm_added_before(const char *s, size_t i)
{
    do {
        i--;
    } while (i && ((unsigned char) s[i] & 0xc0) == 0x80);

    return i;
}


static int
vm_added_in_word(const char *s, size_t len, size_t start, size_t end)
{
    return (start && vm_char_word(s + vm_added_before(s, start)))
           || (end < len && vm_char_word(s + end));
}
