// See resolver_unbound.h. libunbound works in a thread of its own (a fork would copy a server with
// all its keys and shards) and tells through a pipe; FdWatch sees it and ub_process calls back on
// the shard. In that mode ub_cancel only suppresses the callback while the work goes on, so a query
// that was given up is kept and counted until libunbound is done with it: that is the bound.
#include "reactor/resolver_unbound.h"

#include "reactor/fd_watch.h"
#include "reactor/resolver_query.h"
#include "reactor/world.h"

#include <unbound.h>
#include <unistd.h>

#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Failure;
using base::Result;

constexpr int kClassIn = 1;
constexpr int kRcodeNoError = 0;
constexpr int kRcodeServerFailure = 2;
constexpr int kRcodeNoName = 3;
constexpr int kRcodeRefused = 5;

// Making and ending contexts touches variables of the library (log file, random state) that all
// contexts share.
std::mutex& library_mutex() {
    static std::mutex mutex;
    return mutex;
}

struct DeleteContext {
    void operator()(ub_ctx* context) const noexcept {
        const std::lock_guard lock(library_mutex());
        ub_ctx_delete(context);
    }
};
using Context = std::unique_ptr<ub_ctx, DeleteContext>;

Failure failure_of(int error, std::string doing) {
    const Errc code = error == UB_NOMEM      ? Errc::resource_exhausted
                      : error == UB_SYNTAX   ? Errc::invalid_argument
                      : error == UB_INITFAIL ? Errc::invalid_argument
                                             : Errc::io_error;
    return {code, std::move(doing) + ": " + ub_strerror(error)};
}

std::string rcode_text(int rcode) {
    if (rcode == kRcodeServerFailure) return "the name servers failed (SERVFAIL)";
    if (rcode == kRcodeRefused) return "the name servers refused (REFUSED)";
    return "the name servers failed (code " + std::to_string(rcode) + ")";
}

Result<DnsReply> reply_of(const ub_result& result) {
    if (result.bogus != 0)
        return fail(Errc::corrupt, std::string("DNSSEC: the answer is bogus: ") +
                                       (result.why_bogus ? result.why_bogus : "no reason given"));
    if (result.rcode != kRcodeNoError && result.rcode != kRcodeNoName)
        return fail(Errc::io_error, rcode_text(result.rcode));
    DnsReply reply;
    if (result.secure != 0) reply.dnssec = Dnssec::secure;
    if (result.havedata == 0) {
        reply.absence = result.nxdomain != 0 ? Absence::no_name : Absence::no_data;
        return reply;
    }
    reply.ttl = std::chrono::seconds(result.ttl);
    for (std::size_t i = 0; result.data[i] != nullptr; ++i)
        reply.rdata.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
    return reply;
}

class UnboundResolver final : public QueryingResolver, private FdObserver {
public:
    UnboundResolver(World& world, const ResolverLimits& limits, Context context)
        : QueryingResolver(world, limits), context_(std::move(context)) {}
    ~UnboundResolver() override { fail_all(Errc::closed, "the resolver was closed"); }

    Result<void> watch() {
        watch_.emplace(world().reactor, ub_fd(context_.get()), static_cast<FdObserver&>(*this));
        if (watch_->error() == 0) return {};
        return std::unexpected(
            base::failure_from_errno(watch_->error(), "cannot watch the resolver"));
    }

private:
    struct Query {
        UnboundResolver& resolver;
        Promise<DnsReply> promise = {};
        std::list<Query>::iterator place = {};
    };

    Deferred<DnsReply> query(const std::string& name, DnsType type) override {
        if (broken_) return Failure(Errc::io_error, "libunbound's thread is gone");
        // The first question starts the thread.
        std::unique_lock lock(library_mutex(), std::defer_lock);
        if (!std::exchange(started_, true)) lock.lock();
        Query& query = queries_.emplace_back(Query{.resolver = *this});
        query.place = std::prev(queries_.end());
        auto answer = query.promise.deferred();
        const int error = ub_resolve_async(context_.get(), name.c_str(), static_cast<int>(type),
                                           kClassIn, &query, on_answer, nullptr);
        if (error == 0) return answer;
        queries_.pop_back();
        (void)answer.take();  // A broken promise; the caller gets the reason.
        return failure_of(error, "libunbound");
    }
    std::size_t under_way() const noexcept override { return queries_.size(); }

    static void on_answer(void* argument, int error, ub_result* result) {
        auto& query = *static_cast<Query*>(argument);
        const std::unique_ptr<ub_result, decltype(&ub_resolve_free)> owner(result, ub_resolve_free);
        query.promise.try_resolve(error != 0 || !result
                                      ? Result<DnsReply>(fail(Errc::io_error, ub_strerror(error)))
                                      : reply_of(*result));
        query.resolver.queries_.erase(query.place);
    }

    void on_fd_events(bool, bool, bool) override {
        const int error = ub_process(context_.get());
        if (error == 0) return;
        broken_ = true;
        fail_all(Errc::io_error, "libunbound's thread is gone");
    }

    // Of the queries that libunbound will not call back about any more.
    void fail_all(Errc code, const std::string& why) {
        for (Query& query : queries_)
            query.promise.try_resolve(fail(code, why));
    }

    std::list<Query> queries_;  // Outlives the context, which points to them.
    Context context_;
    std::optional<FdWatch> watch_;
    bool started_ = false;
    bool broken_ = false;
};

Result<void> configure(ub_ctx* context, const UnboundOptions& options) {
    ub_ctx_debugout(context, nullptr);
    const auto check = [](int error, std::string doing) -> Result<void> {
        if (error != 0) return std::unexpected(failure_of(error, std::move(doing)));
        return {};
    };
    TRY(check(ub_ctx_async(context, 1), "cannot use a thread"));
    for (const std::string& server : options.name_servers)
        TRY(check(ub_ctx_set_fwd(context, server.c_str()), "not a name server: " + server));
    if (options.name_servers.empty() && !options.resolv_conf.empty()) {
        const int error = ub_ctx_resolvconf(context, options.resolv_conf.c_str());
        if (error != UB_READFILE) TRY(check(error, "cannot read " + options.resolv_conf));
    }
    if (!options.hosts.empty()) {
        const int error = ub_ctx_hosts(context, options.hosts.c_str());
        if (error != UB_READFILE) TRY(check(error, "cannot read " + options.hosts));
    }
    for (const std::string& file : options.trust_anchors) {
        if (::access(file.c_str(), R_OK) != 0) continue;
        TRY(check(ub_ctx_add_ta_file(context, file.c_str()), "cannot use " + file));
        break;
    }
    // Removing what is not there makes libunbound read its configuration now, not at the first
    // question.
    return check(ub_ctx_data_remove(context, "nothing.invalid."),
                 "cannot start libunbound (is a trust anchor damaged?)");
}

}  // namespace

Result<std::unique_ptr<Resolver>> make_unbound_resolver(World& world, UnboundOptions options) {
    Context context;
    {
        const std::lock_guard lock(library_mutex());
        context.reset(ub_ctx_create());
    }
    if (!context) return fail(Errc::resource_exhausted, "cannot make a libunbound context");
    auto configured = [&] {
        const std::lock_guard lock(library_mutex());
        return configure(context.get(), options);
    }();
    if (!configured) return std::unexpected(configured.error());
    auto resolver = std::make_unique<UnboundResolver>(world, options.limits, std::move(context));
    TRY(resolver->watch());
    return resolver;
}

}  // namespace reactor
