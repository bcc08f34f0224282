// The first byte of every message between a WorkerGroup and a worker. Internal to worker_*.cpp.
#pragma once

#include "reactor/process/channel.h"

#include <string>
#include <utility>

namespace reactor::detail {

enum class WorkerFrame : char {
    hello = 'H',
    ping = 'P',
    stop = 'S',
    application = 'A',
    unknown = '?',
};

inline ipc::Message framed(WorkerFrame kind, ipc::Message message) {
    message.bytes.insert(message.bytes.begin(), static_cast<char>(kind));
    return message;
}

/// Takes the first byte off.
inline WorkerFrame take_frame(ipc::Message& message) {
    if (message.bytes.empty()) return WorkerFrame::unknown;
    const char first = message.bytes.front();
    message.bytes.erase(0, 1);
    for (const WorkerFrame kind :
         {WorkerFrame::hello, WorkerFrame::ping, WorkerFrame::stop, WorkerFrame::application})
        if (first == static_cast<char>(kind)) return kind;
    return WorkerFrame::unknown;
}

}  // namespace reactor::detail
