/*
 * Merging.  Short lists, nearly all there are, are searched for the lowest
 * rank again and again; long ones keep the pairs in a heap.
 */

#include <stdlib.h>
#include "merge.h"


#define VM_MERGE_MIN    1024            /* entries of the table */
#define VM_MERGE_SHORT  48              /* tokens of a short list */
#define VM_MERGE_END    VM_NEVER


/* A token of a long list; one that was merged away has rank VM_NEVER. */
typedef struct {
    uint32_t  id;
    uint32_t  prev;
    uint32_t  next;
    uint32_t  rank;                     /* of it and the next one */
    uint32_t  merged;                   /* what they would be */
} vm_merge_node_t;

/* The pairs of a long list: rank and place, the least one first. */
typedef struct {
    uint64_t  *list;
    size_t     n;
} vm_merge_heap_t;


static const vm_merge_t *vm_merges_find(const vm_merges_t *m, uint32_t left,
    uint32_t right);
static vm_merge_t *vm_merges_slot(const vm_merges_t *m, uint64_t key);
static void vm_merges_grow(vm_merges_t *m);
static size_t vm_merges_short(const vm_merges_t *m, uint32_t *ids, size_t n);
static int vm_merges_long(const vm_merges_t *m, uint32_t *ids, size_t *n);
static void vm_merges_pair(const vm_merges_t *m, vm_merge_node_t *nodes,
    uint32_t i, vm_merge_heap_t *heap);
static void vm_merges_push(vm_merge_heap_t *heap, uint64_t key);
static uint64_t vm_merges_pop(vm_merge_heap_t *heap);


void
vm_merges_free(vm_merges_t *m)
{
    free(m->table);
    memset(m, 0, sizeof(vm_merges_t));
}


void
vm_merges_add(vm_merges_t *m, uint32_t left, uint32_t right, uint32_t rank,
    uint32_t id)
{
    uint64_t     key;
    vm_merge_t  *e;

    if (m->table == NULL || m->used > m->mask / 2) {
        vm_merges_grow(m);
    }

    if (m->failed) {
        return;
    }

    key = (uint64_t) left << 32 | right;
    e = vm_merges_slot(m, key);

    m->used += e->rank == VM_NEVER;
    e->key = key;
    e->rank = rank;
    e->id = id;
}


static void
vm_merges_grow(vm_merges_t *m)
{
    size_t       i, n;
    vm_merge_t  *old;

    old = m->table;
    i = old ? m->mask + 1 : 0;
    n = vm_max(2 * i, VM_MERGE_MIN);

    m->table = malloc(n * sizeof(vm_merge_t));

    if (m->table == NULL) {
        m->table = old;
        m->failed = 1;
        return;
    }

    memset(m->table, 0xff, n * sizeof(vm_merge_t));
    m->mask = n - 1;

    while (i--) {
        if (old[i].rank != VM_NEVER) {
            *vm_merges_slot(m, old[i].key) = old[i];
        }
    }

    free(old);
}


static vm_merge_t *
vm_merges_slot(const vm_merges_t *m, uint64_t key)
{
    size_t  i;

    i = (size_t) (key * 0x9e3779b97f4a7c15ULL >> 32) & m->mask;

    while (m->table[i].rank != VM_NEVER && m->table[i].key != key) {
        i = (i + 1) & m->mask;
    }

    return &m->table[i];
}


/* NULL: they do not become one. */

static const vm_merge_t *
vm_merges_find(const vm_merges_t *m, uint32_t left, uint32_t right)
{
    const vm_merge_t  *e;

    if (m->table == NULL) {
        return NULL;
    }

    e = vm_merges_slot(m, (uint64_t) left << 32 | right);

    return e->rank == VM_NEVER ? NULL : e;
}


int
vm_merges_apply(const vm_merges_t *m, vm_ids_t *l, size_t start)
{
    int     rc;
    size_t  n;

    if (l->failed) {
        return VM_ERROR;
    }

    n = l->n - start;
    rc = VM_OK;

    if (n > VM_MERGE_SHORT) {
        rc = vm_merges_long(m, l->ids + start, &n);

    } else if (n > 1) {
        n = vm_merges_short(m, l->ids + start, n);
    }

    l->n = start + n;

    return rc;
}


static size_t
vm_merges_short(const vm_merges_t *m, uint32_t *ids, size_t n)
{
    size_t             best, i;
    uint32_t           rank;
    const vm_merge_t  *pairs[VM_MERGE_SHORT];

    for (i = 0; i + 1 < n; i++) {
        pairs[i] = vm_merges_find(m, ids[i], ids[i + 1]);
    }

    for ( ;; ) {
        rank = VM_NEVER;
        best = 0;

        for (i = 0; i + 1 < n; i++) {
            if (pairs[i] && pairs[i]->rank < rank) {
                rank = pairs[i]->rank;
                best = i;
            }
        }

        if (rank == VM_NEVER) {
            return n;
        }

        ids[best] = pairs[best]->id;
        n--;

        for (i = best + 1; i < n; i++) {
            ids[i] = ids[i + 1];
            pairs[i - 1] = pairs[i];
        }

        if (best) {
            pairs[best - 1] = vm_merges_find(m, ids[best - 1], ids[best]);
        }

        if (best + 1 < n) {
            pairs[best] = vm_merges_find(m, ids[best], ids[best + 1]);
        }
    }
}


static int
vm_merges_long(const vm_merges_t *m, uint32_t *ids, size_t *n)
{
    size_t            k;
    uint32_t          i, next;
    uint64_t          key;
    vm_merge_heap_t   heap;
    vm_merge_node_t  *nodes;

    if (*n >= VM_MERGE_END) {
        return VM_ERROR;
    }

    /* a merge takes one pair away and makes at most two */

    nodes = malloc(*n * sizeof(vm_merge_node_t));
    heap.list = malloc(*n * 3 * sizeof(uint64_t));
    heap.n = 0;

    if (nodes == NULL || heap.list == NULL) {
        free(nodes);
        free(heap.list);
        return VM_ERROR;
    }

    for (i = 0; i < *n; i++) {
        nodes[i].id = ids[i];
        nodes[i].prev = i ? i - 1 : VM_MERGE_END;
        nodes[i].next = i + 1 < *n ? i + 1 : VM_MERGE_END;
    }

    for (i = 0; i < *n; i++) {
        vm_merges_pair(m, nodes, i, &heap);
    }

    while (heap.n) {
        key = vm_merges_pop(&heap);
        i = (uint32_t) key;

        if (nodes[i].rank != key >> 32) {
            continue;                   /* no pair any more, or another */
        }

        next = nodes[i].next;
        nodes[i].id = nodes[i].merged;
        nodes[i].next = nodes[next].next;
        nodes[next].rank = VM_NEVER;

        if (nodes[i].next != VM_MERGE_END) {
            nodes[nodes[i].next].prev = i;
        }

        vm_merges_pair(m, nodes, i, &heap);

        if (nodes[i].prev != VM_MERGE_END) {
            vm_merges_pair(m, nodes, nodes[i].prev, &heap);
        }
    }

    for (i = 0, k = 0; i != VM_MERGE_END; i = nodes[i].next) {
        ids[k++] = nodes[i].id;
    }

    *n = k;

    free(nodes);
    free(heap.list);

    return VM_OK;
}


static void
vm_merges_pair(const vm_merges_t *m, vm_merge_node_t *nodes, uint32_t i,
    vm_merge_heap_t *heap)
{
    const vm_merge_t  *e;

    nodes[i].rank = VM_NEVER;

    if (nodes[i].next == VM_MERGE_END) {
        return;
    }

    e = vm_merges_find(m, nodes[i].id, nodes[nodes[i].next].id);

    if (e) {
        nodes[i].rank = e->rank;
        nodes[i].merged = e->id;
        vm_merges_push(heap, (uint64_t) e->rank << 32 | i);
    }
}


static void
vm_merges_push(vm_merge_heap_t *heap, uint64_t key)
{
    size_t  i, up;

    for (i = heap->n++; i; i = up) {
        up = (i - 1) / 2;

        if (heap->list[up] <= key) {
            break;
        }

        heap->list[i] = heap->list[up];
    }

    heap->list[i] = key;
}


static uint64_t
vm_merges_pop(vm_merge_heap_t *heap)
{
    size_t    down, i;
    uint64_t  key, least;

    least = heap->list[0];
    key = heap->list[--heap->n];

    for (i = 0; (down = 2 * i + 1) < heap->n; i = down) {

        if (down + 1 < heap->n && heap->list[down + 1] < heap->list[down]) {
            down++;
        }

        if (key <= heap->list[down]) {
            break;
        }

        heap->list[i] = heap->list[down];
    }

    heap->list[i] = key;

    return least;
}
