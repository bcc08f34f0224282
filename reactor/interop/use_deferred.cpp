#include "reactor/interop/use_deferred.h"

#include <boost/asio/error.hpp>

namespace reactor {

base::Failure failure_from(const boost::system::error_code& error) {
    if (error == boost::asio::error::operation_aborted) return base::Errc::cancelled;
    if (error == boost::asio::error::eof)
        return {base::Errc::connection_done, "the peer ended the connection"};
    if (error.category() == boost::system::system_category() ||
        error.category() == boost::system::generic_category())
        return base::failure_from_errno(error.value(), "asio");
    return {base::Errc::internal, error.message()};
}

}  // namespace reactor
