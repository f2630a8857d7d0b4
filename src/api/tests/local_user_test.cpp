#include "api/local_user.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <boost/asio/io_context.hpp>

#include <bit>

namespace starling::api {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

constexpr std::string_view table =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:2479 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1143 1 0 100 0 0 10 0\n"
    "   1: 0100007F:2479 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 1144 1 0 20 4 30 10 "
    "-1\n"
    "   2: 0100007F:C350 0100007F:2479 01 00000000:00000000 00:00000000 00000000  1007        0 1145 1 0 20 4 30 10 "
    "-1\n";

TEST(local_user, is_the_owner_of_the_clients_end) {
    if constexpr (std::endian::native != std::endian::little) {
        GTEST_SKIP() << "the table above is of a little-endian machine";
    }
    const tcp::endpoint client(make_address("127.0.0.1"), 50000);
    const tcp::endpoint server(make_address("127.0.0.1"), 9337);
    EXPECT_EQ(find_owner(table, client, server), 1007U);
    EXPECT_EQ(find_owner(table, server, client), 1000U);
    EXPECT_EQ(find_owner(table, tcp::endpoint(make_address("127.0.0.1"), 50001), server), std::nullopt);
    EXPECT_EQ(find_owner("", client, server), std::nullopt);
    EXPECT_EQ(find_owner(table.substr(0, table.find("1007")), client, server), std::nullopt);
}

TEST(local_user, is_known_for_a_real_connection) {
    boost::asio::io_context io;
    for (const char* address : {"127.0.0.1", "::1"}) {
        tcp::acceptor acceptor(io);
        boost::system::error_code failed;
        const tcp::endpoint where(make_address(address), 0);
        acceptor.open(where.protocol(), failed);
        acceptor.bind(where, failed);
        if (failed) {
            continue;  // no IPv6 here
        }
        acceptor.listen();
        tcp::socket client(io);
        client.connect(acceptor.local_endpoint());
        tcp::socket server = acceptor.accept();
        EXPECT_TRUE(is_own_user(server.remote_endpoint(), server.local_endpoint())) << address;
        const tcp::endpoint nobody(make_address(address), client.local_endpoint().port() == 1 ? 2 : 1);
        EXPECT_FALSE(is_own_user(nobody, server.local_endpoint())) << address;
    }
}

TEST(local_user, nobody_elsewhere_is) {
    EXPECT_FALSE(is_own_user(tcp::endpoint(make_address("192.168.1.4"), 50000),
                             tcp::endpoint(make_address("192.168.1.5"), 9337)));
}

}  // namespace
}  // namespace starling::api
