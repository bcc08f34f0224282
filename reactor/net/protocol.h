// Protocol: the callback shape of a connection, as in Twisted: made, data, lost. The other shape is
// a coroutine over a Connection (server.h takes both).
#pragma once

#include "reactor/net/connection.h"

#include <memory>

namespace reactor {

class Protocol {
public:
    virtual ~Protocol() = default;
    /// Once, before anything else. `connection` lives until after `connection_lost`.
    virtual void connection_made(Connection& /*connection*/) {}
    /// As bytes come, in any segmentation. `connection.pause_reading()` holds them back.
    virtual void data_received(std::string_view bytes) = 0;
    /// The peer sends no more but may still read. True: go on, and close when you are done. False:
    /// the connection is closed (flushing what was written).
    virtual bool input_ended() { return false; }
    /// Exactly once, last, and never inside a call into the connection.
    virtual void connection_lost(const base::Failure& /*reason*/) {}
};

class ProtocolFactory {
public:
    virtual ~ProtocolFactory() = default;
    /// Before the first and after the last of the servers that use this factory.
    virtual void start() {}
    virtual void stop() {}
    /// Null refuses the connection, which is then closed.
    virtual std::unique_ptr<Protocol> build(const Endpoint& peer) = 0;

private:
    friend class FactoryUse;
    std::size_t uses_ = 0;
};

/// Counts as one user of the factory, which must outlive it.
class FactoryUse {
public:
    explicit FactoryUse(ProtocolFactory& factory) : factory_(factory) {
        if (factory_.uses_++ == 0) factory_.start();
    }
    FactoryUse(const FactoryUse&) = delete;
    FactoryUse& operator=(const FactoryUse&) = delete;
    ~FactoryUse() {
        if (--factory_.uses_ == 0) factory_.stop();
    }

private:
    ProtocolFactory& factory_;
};

/// Drives `protocol` until the connection ends, whatever the reason; `connection` must outlive it.
/// Dropping it calls nothing more: destroy the connection with it.
Deferred<void> run_protocol(Connection& connection, std::unique_ptr<Protocol> protocol);

}  // namespace reactor
