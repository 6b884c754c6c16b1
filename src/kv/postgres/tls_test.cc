// Connections over TLS: what sslmode, sslrootcert and client certificates of the configured
// connection string do, on a PostgreSQL that takes no connection without TLS.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <pwd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/format.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/postgres_store.h"
#include "testing/co_test.h"
#include "testing/postgres_cluster.h"
#include "testing/temp_dir.h"

namespace tarn::kv {
namespace {

using tarn::testing::PostgresCluster;

/// Certificates made by openssl: two authorities, a server named "localhost" and a client.
class Certificates {
 public:
  Certificates() {
    std::filesystem::permissions(dir_.path(), std::filesystem::perms(0755));
    make_authority("ca");
    make_authority("other");
    make_signed("server", "localhost", "ca");
    make_signed("tarn", "tarn", "ca");
    make_signed("nobody", "nobody", "ca");
    make_signed("forged", "tarn", "other");
    // The server's key may be read by nobody else, and the server is not us when we are root.
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr) user = ::getpwnam("nobody");
    if (::geteuid() == 0 && ::chown(file("server.key").c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("chown");
  }

  std::string file(const std::string& name) const { return dir_.file(name); }

 private:
  static void run(const std::string& command) {
    if (std::system((command + " 2>/dev/null").c_str()) != 0) throw std::runtime_error(command);
  }

  void make_authority(const std::string& name) {
    run(
        format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
               "-subj '/CN=authority {0}' -keyout {1}.key -out {1}.crt",
               name, file(name)));
  }

  void make_signed(const std::string& name, const std::string& subject, const std::string& by) {
    std::ofstream(file(name + ".ext")) << "subjectAltName=DNS:" << subject << "\n";
    run(format(
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN={0}' "
        "-keyout {1}.key -out {1}.csr",
        subject, file(name)));
    run(
        format("openssl x509 -req -in {0}.csr -CA {1}.crt -CAkey {1}.key -CAcreateserial -days 2 "
               "-extfile {0}.ext -out {0}.crt",
               file(name), file(by)));
    std::filesystem::permissions(file(name + ".key"), std::filesystem::perms(0600));
  }

  tarn::testing::TempDir dir_;
};

/// One cluster for all of these tests. `certain` is a role that must show a client certificate.
struct TlsCluster {
  Certificates certificates;
  std::unique_ptr<PostgresCluster> cluster;
  int port = 0;

  TlsCluster() {
    std::ofstream(certificates.file("hba")) << "local all all trust\n"
                                               "hostssl all withcert all cert map=people\n"
                                               "hostssl all all all trust\n"
                                               "hostnossl all all all reject\n";
    std::ofstream(certificates.file("ident")) << "people tarn withcert\n";
    cluster = std::make_unique<PostgresCluster>(std::vector<std::string>{
        "ssl=on", "ssl_cert_file=" + certificates.file("server.crt"),
        "ssl_key_file=" + certificates.file("server.key"),
        "ssl_ca_file=" + certificates.file("ca.crt"), "hba_file=" + certificates.file("hba"),
        "ident_file=" + certificates.file("ident")});
    port = cluster->listen_on_loopback();
    const PostgresConfig admin{.connection_string = cluster->connection_string()};
    const std::atomic<bool> stop = false;
    BlockingSession(admin, stop).execute("CREATE ROLE withcert LOGIN SUPERUSER");
  }

  static TlsCluster& shared() {
    static TlsCluster one;
    return one;
  }
};

class PostgresTls : public ::testing::Test {
 public:
  void SetUp() override {
    TARN_SKIP_WITHOUT_POSTGRES();
    tls = &TlsCluster::shared();
  }

  std::string file(const std::string& name) const { return tls->certificates.file(name); }

  /// As an operator writes it: a URI.
  std::string uri(const std::string& host, const std::string& parameters,
                  const std::string& user = "tarn") const {
    return format("postgres://{}@{}:{}/postgres?{}", user, host, tls->port, parameters);
  }

  /// Nothing, or why it was refused.
  std::optional<ErrorCode> refused(const std::string& connection_string) {
    PostgresConfig config{.connection_string = connection_string};
    try {
      PostgresStore::open(config, loops, pool);
      return std::nullopt;
    } catch (const Error& error) {
      return error.code();
    }
  }

  std::string value_of(const std::string& connection_string, const std::string& sql) {
    const PostgresConfig config{.connection_string = connection_string};
    return BlockingSession(config, stop).value_of(sql);
  }

  TlsCluster* tls = nullptr;
  std::atomic<bool> stop = false;
  io::Loops loops{1};
  io::BlockingPool pool{{.name = "metadata"}};
};

constexpr const char* kEncrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

CO_TEST_F(PostgresTls, StoreWorksOverTls) {
  PostgresConfig config{.connection_string = self.uri(
                            "localhost", "sslmode=verify-full&sslrootcert=" + self.file("ca.crt"))};
  EXPECT_EQ(self.value_of(config.connection_string, kEncrypted), "t");
  auto store = PostgresStore::open(config, self.loops, self.pool);
  const std::string large(3 << 20, 'x');  // many TLS records
  std::vector<Op> ops;
  for (int i = 0; i < 20; ++i)
    ops.push_back(Op::set("p", format("k{}", i), i % 7 == 0 ? large : "v"));
  ops.push_back(Op::get("p", "k14"));
  const auto results = co_await store->run(ctx, std::move(ops));
  EXPECT_TRUE(results.back().found == large);
  EXPECT_TRUE(co_await store->get(ctx, "p", "k7") == large);
  EXPECT_EQ(co_await store->get(ctx, "p", "k8"), "v");
  self.value_of(config.connection_string,
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND application_name = 'tarn'");
  EXPECT_EQ(co_await store->get(ctx, "p", "k8"), "v");
  co_await store->close();
}

TEST_F(PostgresTls, EachModeChecksWhatItSays) {
  const std::string right = "sslrootcert=" + file("ca.crt");
  const std::string wrong = "sslrootcert=" + file("other.crt");
  const auto unavailable = std::optional(ErrorCode::unavailable);
  // The name "localhost" is in the certificate, the address 127.0.0.1 is not.
  EXPECT_EQ(refused(uri("localhost", "sslmode=disable")), unavailable);
  EXPECT_EQ(refused(uri("127.0.0.1", "sslmode=require")), std::nullopt);
  EXPECT_EQ(refused(uri("127.0.0.1", "sslmode=verify-ca&" + right)), std::nullopt);
  EXPECT_EQ(refused(uri("127.0.0.1", "sslmode=verify-full&" + right)), unavailable);
  EXPECT_EQ(refused(uri("localhost", "sslmode=verify-full&" + right)), std::nullopt);
  EXPECT_EQ(refused(uri("localhost", "sslmode=verify-ca&" + wrong)), unavailable);
  EXPECT_EQ(refused(uri("localhost", "sslmode=verify-full&" + wrong)), unavailable);
  // libpq: with a root certificate at hand, require checks it as verify-ca does.
  EXPECT_EQ(refused(uri("localhost", "sslmode=require&" + wrong)), unavailable);
  EXPECT_EQ(refused(uri("localhost", "sslmode=verify-full&sslrootcert=" + file("absent.crt"))),
            unavailable);
}

TEST_F(PostgresTls, KeyValueFormTakesTheSameSettings) {
  const std::string base = format("host=localhost port={} user=tarn dbname=postgres ", tls->port);
  EXPECT_EQ(refused(base + "sslmode=verify-full sslrootcert=" + file("ca.crt")), std::nullopt);
  EXPECT_EQ(refused(base + "sslmode=verify-full sslrootcert=" + file("other.crt")),
            ErrorCode::unavailable);
}

TEST_F(PostgresTls, ClientCertificateIsShownAndChecked) {
  const std::string checked = "sslmode=verify-full&sslrootcert=" + file("ca.crt");
  const auto with = [&](const std::string& name) {
    return uri("localhost",
               checked + "&sslcert=" + file(name + ".crt") + "&sslkey=" + file(name + ".key"),
               "withcert");
  };
  EXPECT_EQ(refused(uri("localhost", checked, "withcert")), ErrorCode::unavailable) << "none shown";
  EXPECT_EQ(refused(with("nobody")), ErrorCode::unavailable) << "somebody else's";
  EXPECT_EQ(refused(with("forged")), ErrorCode::unavailable) << "another authority's";
  EXPECT_EQ(refused(with("tarn")), std::nullopt);
}

}  // namespace
}  // namespace tarn::kv
