#include "storage/database.h"

#include "reactor/reactor.h"

namespace storage {

Operation::Operation() : origin_(&reactor::Reactor::current()) {}

}  // namespace storage
