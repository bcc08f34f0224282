// Memory for OpenSSL: its record buffers, 17 KB each, come from a small stock of the thread.
// OpenSSL is told to hold none while a connection has nothing to say (tls_context.cpp), so a busy
// one asks for two with every message: without the stock that works malloc's heap hard and leaves
// holes in it, and with it all connections of a shard share the few that stay in the cache.
#pragma once

namespace reactor {

/// Call once at the start of main, before anything uses OpenSSL: later it has no effect.
void stock_tls_buffers() noexcept;

}  // namespace reactor
