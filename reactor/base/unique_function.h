// UniqueFunction: a callable that may own move-only state. One spelling for the whole tree.
#pragma once

#include <functional>  // std::move_only_function lives here; nothing else of it is used in headers.

namespace base {

template <class Signature>
using UniqueFunction = std::move_only_function<Signature>;

}  // namespace base
