/*
 * Events.  Each sequence is sure of one node; the others of the store are for
 * those whose owner is late.
 */

#include "events.h"
#include "scheduler.h"


static void vm_events_remove(vm_engine_t *e, uint32_t i);


uint32_t
vm_events_room(const vm_engine_conf_t *conf)
{
    return conf->max_live
           + (uint32_t) vm_min((uint64_t) conf->max_live * 64, VM_EVENTS_MORE);
}


void
vm_events_init(vm_engine_t *e)
{
    uint32_t     i, n;
    vm_owner_t  *o;

    n = vm_events_room(&e->conf);

    for (i = 0; i < n; i++) {
        vm_node(e, i)->next = i + 1 < n ? i + 1 : VM_NONE;
    }

    e->free_node = 0;
    e->nodes_left = n;
    e->silent = e->conf.max_live;

    for (i = 0; i < e->conf.owners; i++) {
        o = vm_owner(e, i);
        o->seqs = VM_NONE;
        o->live = 0;
        o->head = VM_NONE;
        o->tail = VM_NONE;
    }
}


void
vm_events_emit(vm_engine_t *e, vm_seq_t *s, uint32_t first, uint32_t count,
    vm_time_t due, vm_finish_e finish)
{
    uint32_t     i;
    vm_node_t   *n;
    vm_owner_t  *o;

    if (s->events && e->nodes_left <= e->silent) {
        n = vm_node(e, s->last_event);
        n->count += count;
        n->due = due;
        n->finish = finish;
        return;
    }

    i = e->free_node;
    n = vm_node(e, i);
    e->free_node = n->next;
    e->nodes_left--;

    n->seq = vm_seq_index(e, s);
    n->first = first;
    n->count = count;
    n->due = due;
    n->finish = finish;
    n->more = s->events ? s->last_event : VM_NONE;

    if (s->events++ == 0) {
        e->silent--;
    }

    s->last_event = i;

    o = vm_owner(e, s->owner);
    n->prev = o->tail;
    n->next = VM_NONE;

    if (o->tail == VM_NONE) {
        o->head = i;

    } else {
        vm_node(e, o->tail)->next = i;
    }

    o->tail = i;
}


void
vm_events_drop(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t  i, more;

    for (i = s->last_event; s->events; i = more) {
        more = vm_node(e, i)->more;
        vm_events_remove(e, i);
    }
}


size_t
vm_engine_collect(vm_engine_t *e, uint32_t owner, vm_event_t *events,
    size_t max)
{
    size_t       k;
    uint32_t     i;
    vm_seq_t    *s;
    vm_node_t   *n;
    vm_event_t  *v;

    for (k = 0; k < max; k++) {

        i = vm_owner(e, owner)->head;

        if (i == VM_NONE) {
            break;
        }

        n = vm_node(e, i);
        s = vm_seq(e, n->seq);
        v = &events[k];

        v->cookie = s->cookie;
        v->handle = vm_seq_handle(e, s);
        v->first = n->first;
        v->count = n->count;
        v->cached_tokens = s->cached;
        v->finish = n->finish;
        v->due = n->due;
        v->queued = s->queued;
        v->scheduled = s->scheduled;
        v->first_token = s->first_token;
        v->preemptions = s->preemptions;

        vm_events_remove(e, i);

        if (v->finish) {
            s->collected = 1;

            if (s->state == VM_SEQ_ENDED) {
                vm_seq_release(e, s);
            }
        }
    }

    return k;
}


static void
vm_events_remove(vm_engine_t *e, uint32_t i)
{
    vm_seq_t    *s;
    vm_node_t   *n;
    vm_owner_t  *o;

    n = vm_node(e, i);
    s = vm_seq(e, n->seq);
    o = vm_owner(e, s->owner);

    if (n->prev == VM_NONE) {
        o->head = n->next;

    } else {
        vm_node(e, n->prev)->next = n->next;
    }

    if (n->next == VM_NONE) {
        o->tail = n->prev;

    } else {
        vm_node(e, n->next)->prev = n->prev;
    }

    if (--s->events == 0) {
        e->silent++;
    }

    n->next = e->free_node;
    e->free_node = i;
    e->nodes_left++;
}
