// Application: the server process. Opens storage, loads certificates, builds a ShardServer on every
// shard, listens, and takes it all down again in order. Owns everything that has no narrower owner.
#pragma once

#include "reactor/base/result.h"
#include "server/config/config.h"
#include "server/config/registry.h"

#include <memory>
#include <string>

namespace server {

struct ApplicationOptions {
    std::string config_path;  ///< Empty: the embedded default.
    Config config;            ///< As loaded from there.
    const KeyRegistry* registry = nullptr;  ///< For reloads; outlives the Application.
    bool welcome = true;      ///< Print how to connect once it serves.
};

class Application {
public:
    explicit Application(ApplicationOptions options);
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;
    ~Application();

    /// Serves until SIGTERM, SIGINT or `parleyctl stop`. A failure to start is one sentence that
    /// names the cause and the mend. Blocks; call once.
    base::Result<void> run();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace server
