#include "reactor/fd_watch.h"

#include "reactor/poller.h"
#include "reactor/reactor.h"

namespace reactor {

FdWatch::FdWatch(Reactor& reactor, int fd, FdObserver& observer)
    : reactor_(reactor), observer_(observer), fd_(fd) {
    error_ = reactor_.poller().add(*this);
}

FdWatch::~FdWatch() {
    reactor_.poller().remove(*this);
}

}  // namespace reactor
