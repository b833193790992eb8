/*
 * Lists and heaps of sequences.
 */

#include "queue.h"


typedef int (*vm_queue_before_pt)(const vm_seq_t *a, const vm_seq_t *b);


static int vm_clock_before(const vm_seq_t *a, const vm_seq_t *b);
static void vm_queue_up(vm_engine_t *e, uint32_t *heap, uint32_t at,
    vm_queue_before_pt before);
static void vm_queue_down(vm_engine_t *e, uint32_t *heap, uint32_t n,
    uint32_t at, vm_queue_before_pt before);
static void vm_queue_cut(vm_engine_t *e, uint32_t *heap, uint32_t *n,
    vm_seq_t *s, vm_queue_before_pt before);


void
vm_list_init(vm_list_t *l)
{
    l->head = VM_NONE;
    l->tail = VM_NONE;
    l->n = 0;
}


void
vm_list_append(vm_engine_t *e, vm_list_t *l, vm_seq_t *s)
{
    uint32_t  i;

    i = vm_seq_index(e, s);
    s->prev = l->tail;
    s->next = VM_NONE;

    if (l->tail == VM_NONE) {
        l->head = i;

    } else {
        vm_seq(e, l->tail)->next = i;
    }

    l->tail = i;
    l->n++;
}


void
vm_list_prepend(vm_engine_t *e, vm_list_t *l, vm_seq_t *s)
{
    uint32_t  i;

    i = vm_seq_index(e, s);
    s->prev = VM_NONE;
    s->next = l->head;

    if (l->head == VM_NONE) {
        l->tail = i;

    } else {
        vm_seq(e, l->head)->prev = i;
    }

    l->head = i;
    l->n++;
}


void
vm_list_remove(vm_engine_t *e, vm_list_t *l, vm_seq_t *s)
{
    if (s->prev == VM_NONE) {
        l->head = s->next;

    } else {
        vm_seq(e, s->prev)->next = s->next;
    }

    if (s->next == VM_NONE) {
        l->tail = s->prev;

    } else {
        vm_seq(e, s->next)->prev = s->prev;
    }

    l->n--;
}


int
vm_heap_before(const vm_seq_t *a, const vm_seq_t *b)
{
    if (a->priority != b->priority) {
        return a->priority < b->priority;
    }

    if (a->arrival != b->arrival) {
        return a->arrival < b->arrival;
    }

    return a->order < b->order;
}


void
vm_heap_push(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t  *heap;

    heap = vm_at(e, e->heap_at, uint32_t);
    heap[e->nheap] = vm_seq_index(e, s);
    vm_queue_up(e, heap, e->nheap++, vm_heap_before);
}


void
vm_heap_remove(vm_engine_t *e, vm_seq_t *s)
{
    vm_queue_cut(e, vm_at(e, e->heap_at, uint32_t), &e->nheap, s,
                 vm_heap_before);
}


void
vm_clock_push(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t  *heap;

    heap = vm_at(e, e->clock_at, uint32_t);
    heap[e->nclock] = vm_seq_index(e, s);
    vm_queue_up(e, heap, e->nclock++, vm_clock_before);
}


void
vm_clock_remove(vm_engine_t *e, vm_seq_t *s)
{
    vm_queue_cut(e, vm_at(e, e->clock_at, uint32_t), &e->nclock, s,
                 vm_clock_before);
}


static int
vm_clock_before(const vm_seq_t *a, const vm_seq_t *b)
{
    if (a->due != b->due) {
        return a->due < b->due;
    }

    return a->admitted < b->admitted;
}


static void
vm_queue_up(vm_engine_t *e, uint32_t *heap, uint32_t at,
    vm_queue_before_pt before)
{
    uint32_t  up, i;

    i = heap[at];

    while (at) {
        up = (at - 1) / 2;

        if (!before(vm_seq(e, i), vm_seq(e, heap[up]))) {
            break;
        }

        heap[at] = heap[up];
        vm_seq(e, heap[at])->place = at;
        at = up;
    }

    heap[at] = i;
    vm_seq(e, i)->place = at;
}


static void
vm_queue_down(vm_engine_t *e, uint32_t *heap, uint32_t n, uint32_t at,
    vm_queue_before_pt before)
{
    uint32_t  down, i;

    i = heap[at];

    for ( ;; ) {
        down = 2 * at + 1;

        if (down >= n) {
            break;
        }

        if (down + 1 < n
            && before(vm_seq(e, heap[down + 1]), vm_seq(e, heap[down])))
        {
            down++;
        }

        if (!before(vm_seq(e, heap[down]), vm_seq(e, i))) {
            break;
        }

        heap[at] = heap[down];
        vm_seq(e, heap[at])->place = at;
        at = down;
    }

    heap[at] = i;
    vm_seq(e, i)->place = at;
}


static void
vm_queue_cut(vm_engine_t *e, uint32_t *heap, uint32_t *n, vm_seq_t *s,
    vm_queue_before_pt before)
{
    uint32_t  at, last;

    at = s->place;
    s->place = VM_NONE;
    last = heap[--*n];

    if (at == *n) {
        return;
    }

    heap[at] = last;
    vm_seq(e, last)->place = at;
    vm_queue_up(e, heap, at, before);
    vm_queue_down(e, heap, *n, vm_seq(e, last)->place, before);
}
