/*
 * --device and --model: the catalog of profiles.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "device.h"
#include "../src/engine/catalog.h"


#define VM_DEVICE_PATH  4096


/* profiles/ of a clone, whose program is in build/. */

static void
vm_device_directory(char *dir, size_t size)
{
    char     self[VM_DEVICE_PATH], *slash;
    ssize_t  n;

    n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n > 0) {
        self[n] = '\0';
        slash = strrchr(self, '/');

        if (slash) {
            *slash = '\0';
            n = snprintf(dir, size, "%s/../profiles", self);

            if (n > 0 && (size_t) n < size && access(dir, R_OK) == 0) {
                return;
            }
        }
    }

    snprintf(dir, size, "profiles");
}


char *
vm_device_profile(const char *dir, const char *device, const char *model,
    uint32_t tp, char *(*read)(const char *, size_t *))
{
    int     rc;
    char    own[VM_DEVICE_PATH], name[VM_DEVICE_PATH + VM_CATALOG_PATH],
            found[VM_CATALOG_PATH], err[2048], *text, *path;
    size_t  len;

    if (dir == NULL) {
        vm_device_directory(own, sizeof(own));
        dir = own;
    }

    snprintf(name, sizeof(name), "%s/index.json", dir);
    text = read(name, &len);

    if (text == NULL) {
        return NULL;
    }

    rc = vm_catalog_find(text, len, device, model, tp, found, err,
                         sizeof(err));
    free(text);

    if (rc != VM_OK) {
        fprintf(stderr, "vllm-mock-replay: %s\n", err);
        return NULL;
    }

    path = malloc(strlen(dir) + sizeof(found) + 2);

    if (path) {
        sprintf(path, "%s/%s", dir, found);
    }

    return path;
}
