// What is lost between the shards of a simulated machine when their process dies.
#pragma once

#include "reactor/base/unique_function.h"
#include "reactor/shards.h"

#include <vector>

namespace reactor {

using LostMail = std::vector<base::UniqueFunction<void()>>;

/// All that the shards of a SimWorld have posted to each other and not received; the calls are not
/// made. For when those whom they would reach are gone. Keep it until those are gone who wait for
/// answers, or they hear that there are none. Precondition: `shards` are a SimWorld's.
[[nodiscard]] LostMail lose_mail(Shards& shards);

}  // namespace reactor
