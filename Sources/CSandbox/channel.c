// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "jail.h"

uint64_t sbx_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

void sbx_close(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

int sbx_write_file(int directory, const char *path, const char *text) {
    int file = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return -errno;
    size_t length = strlen(text);
    ssize_t written = write(file, text, length);
    int result = written == (ssize_t)length ? 0 : (written < 0 ? -errno : -EIO);
    close(file);
    return result;
}

static int send_bytes(int socket, const void *bytes, size_t size) {
    ssize_t sent;
    do {
        sent = send(socket, bytes, size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return -errno;
    return sent == (ssize_t)size ? 0 : -EMSGSIZE;
}

static ssize_t receive_bytes(int socket, void *bytes, size_t size) {
    ssize_t received;
    do {
        received = recv(socket, bytes, size, 0);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    return received == 0 ? -EPIPE : received;
}

int sbx_packet_send(int socket, const struct sbx_record *record) { return send_bytes(socket, record, sizeof *record); }

int sbx_packet_receive(int socket, struct sbx_record *record) {
    ssize_t received = receive_bytes(socket, record, sizeof *record);
    if (received < 0) return (int)received;
    return received == (ssize_t)sizeof *record && record->size == sizeof *record ? 0 : -EBADMSG;
}

int sbx_message_send(int socket, const struct sbx_message *message) {
    if (message->record.kind != SBX_RECORD_VIOLATION) return sbx_packet_send(socket, &message->record);
    return send_bytes(socket, message, sizeof *message);
}

int sbx_message_receive(int socket, struct sbx_message *message) {
    ssize_t received = receive_bytes(socket, message, sizeof *message);
    if (received < 0) return (int)received;
    return sbx_message_check(message, (size_t)received);
}

/// Records are smaller than PIPE_BUF, so one write is one record (man 7 pipe).
static void status_write(const struct sbx_context *context, const struct sbx_record *record) {
    ssize_t written;
    do {
        written = write(context->status_write, record, sizeof *record);
    } while (written < 0 && errno == EINTR);
}

void sbx_status_failed(const struct sbx_context *context, uint32_t kind, int32_t step, int32_t error) {
    struct sbx_record record;
    sbx_record_init(&record, kind);
    record.step = step;
    record.error = error;
    status_write(context, &record);
}

void sbx_status_executing(const struct sbx_context *context) {
    struct sbx_record record;
    int wanted = (context->spec->settings.options & SBX_OPTION_TIMINGS) != 0;
    for (int32_t step = SBX_STEP_CLONE; wanted && step < SBX_STEP_EXEC; step++) {
        sbx_record_init(&record, SBX_RECORD_TIMING);
        record.step = step;
        record.nanoseconds = context->times[step];
        status_write(context, &record);
    }
    sbx_record_init(&record, SBX_RECORD_EXECUTING);
    record.nanoseconds = sbx_now();
    status_write(context, &record);
}

int sbx_step_run(struct sbx_context *context, int32_t step, sbx_step_function function) {
    uint64_t begin = sbx_now();
    int injected = context->spec->settings.fault_step == (uint32_t)step;
    int result = injected ? -EIO : function(context);
    context->times[step] += sbx_now() - begin;
    if (result != 0) sbx_status_failed(context, SBX_RECORD_FAILED, step, -result);
    return result;
}
