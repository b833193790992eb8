/*
 * /v1/video/generations, and the jobs of /v1/videos.
 */

#ifndef VM_VIDEO_H
#define VM_VIDEO_H


#include "generation.h"


#define VM_VIDEO_SECONDS  60        /* at most */
#define VM_VIDEO_FPS      60
#define VM_VIDEO_TYPE     "image/apng"


/* The answer is the film; the answer is a job. */
extern const vm_protocol_t  vm_video, vm_video_job;


/*
 * What is kept of a job: its object, whose status stands at *status_at, and
 * what its film is made of.
 */
void vm_video_keep(vm_generation_t *g, unsigned over, size_t *status_at,
    vm_buf_t *object, vm_buf_t *film);

/* The object of a job that has made so many tokens; 0: it waits. */
void vm_video_running(const vm_buf_t *object, const vm_buf_t *film,
    uint32_t tokens, vm_buf_t *out);

/* The film of a job that is over; VM_ERROR with call->error: it is not. */
int vm_video_content(vm_call_t *call, const vm_buf_t *object,
    const vm_buf_t *film, vm_buf_t *out);

/* 404: there is no such job. */
int vm_video_unknown(vm_call_t *call, const char *id, size_t len);


#endif /* VM_VIDEO_H */
