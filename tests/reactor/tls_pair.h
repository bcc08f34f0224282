// For the tests of TLS: a client and a server joined by a memory pipe on virtual time.
#pragma once

#include "reactor/memory_pipe.h"
#include "reactor/sim/sim_world.h"
#include "reactor/tls.h"
#include "reactor/tls_certificate.h"
#include "stream_peer.h"
#include "test_certificates.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <memory>
#include <string>

namespace reactor::test {

inline constexpr base::WallTime kCertificateTime{1'735'689'600'000'000};

/// Self-signed for `host`, valid for decades.
inline TlsIdentity identity_for(const std::string& host) {
    const std::array<std::string, 1> hosts{host};
    return generate_self_signed(hosts, kCertificateTime, 20'000).value();
}
inline TlsIdentity identity_of(std::string_view chain, std::string_view key) {
    return {std::string(chain), std::string(key)};
}
/// Puts `text` into a file of a folder of this process's own; returns its path.
inline std::string file_with(const std::string& name, std::string_view text) {
    static const ::test::TemporaryFolder folder;
    const std::string path = folder.file(name);
    std::ofstream(path) << text;
    return path;
}

class TlsPair : public testing::Test {
protected:
    TlsPair() {
        server_options.identity = identity_for("default.example");
        client_options.verify = TlsVerify::none;
    }

    /// Makes both streams; nobody has sent a byte yet.
    void connect(const std::string& server_name = "default.example",
                 std::unique_ptr<TlsSession> session = nullptr) {
        auto [to_client, to_server] = memory_pipe(sim.world(), sim.world(), pipe_options);
        if (!server_context) server_context = TlsServerContext::create(server_options).value();
        client_context = TlsClientContext::create(client_options).value();
        auto server_stream = TlsStream::server(std::move(to_client), server_context);
        auto client_stream = TlsStream::client(std::move(to_server), client_context, server_name,
                                               std::move(session));
        server_tls = server_stream.get();
        client_tls = client_stream.get();
        server = std::make_unique<StreamPeer>(std::move(server_stream));
        client = std::make_unique<StreamPeer>(std::move(client_stream));
    }
    void run() { ASSERT_TRUE(sim.run_ready()); }
    void connect_and_run(const std::string& server_name = "default.example",
                         std::unique_ptr<TlsSession> session = nullptr) {
        connect(server_name, std::move(session));
        run();
        ASSERT_TRUE(server_tls->established()) << text_of(server_tls->failure());
        ASSERT_TRUE(client_tls->established()) << text_of(client_tls->failure());
    }
    static std::string text_of(const std::optional<base::Failure>& failure) {
        return failure ? failure->message() : "no failure";
    }
    /// A server that is asked by a client made of plain bytes.
    std::unique_ptr<ByteStream> raw_client() {
        auto [to_client, raw] = memory_pipe(sim.world(), sim.world(), pipe_options);
        if (!server_context) server_context = TlsServerContext::create(server_options).value();
        auto server_stream = TlsStream::server(std::move(to_client), server_context);
        server_tls = server_stream.get();
        server = std::make_unique<StreamPeer>(std::move(server_stream));
        return std::move(raw);
    }

    SimWorld sim{SimOptions{}};
    MemoryPipeOptions pipe_options;
    TlsServerOptions server_options;
    TlsClientOptions client_options;
    std::shared_ptr<const TlsServerContext> server_context;
    std::shared_ptr<const TlsClientContext> client_context;
    TlsStream* server_tls = nullptr;
    TlsStream* client_tls = nullptr;
    std::unique_ptr<StreamPeer> server;
    std::unique_ptr<StreamPeer> client;
};

}  // namespace reactor::test
