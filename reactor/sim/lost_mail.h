// What is lost between the shards of a simulated machine when their process dies.
#pragma once

#include "reactor/shards.h"

namespace reactor {

/// Drops all that the shards of a SimWorld have posted to each other and not received: calls are
/// not made, and who waits for an answer hears that there is none. For when those whom the calls
/// would reach are gone. Precondition: `shards` are a SimWorld's. Called on one of them.
void lose_mail(Shards& shards);

}  // namespace reactor
