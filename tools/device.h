/*
 * Which profile a device and a model's name lead to, below a directory.
 */

#ifndef VM_DEVICE_H
#define VM_DEVICE_H


#include <stddef.h>
#include <stdint.h>


/*
 * The path of the profile below `dir` (NULL: the directory "profiles" beside
 * the program's own or in the working directory), to be freed; NULL after a
 * message.  `read` gives a file's text, or NULL after a message.
 */
char *vm_device_profile(const char *dir, const char *device,
    const char *model, uint32_t tp, char *(*read)(const char *, size_t *));


#endif /* VM_DEVICE_H */
