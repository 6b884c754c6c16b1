#include "app/welcome.h"

#include "app/blocking_wait.h"
#include "base/format.h"

namespace tarn::app {

namespace {

// wait_for() wants a default-constructible result.
Task<std::optional<auth::CredentialSecret>> set_up(
    Context& ctx, auth::Authority& authority, const std::string& user,
    std::optional<std::pair<std::string, std::string>> key) {
  if (co_await authority.is_initialized(ctx)) co_return std::nullopt;
  co_return co_await authority.setup(ctx, user, std::move(key));
}

}  // namespace

std::optional<auth::CredentialSecret> set_up_if_new(const Config& config, Core& core) {
  if (config.installation_user.empty()) return std::nullopt;
  std::optional<std::pair<std::string, std::string>> key;
  if (!config.installation_access_key_id.empty()) {
    key.emplace(config.installation_access_key_id, config.installation_secret_access_key.text);
  }
  Context ctx;
  return wait_for(core.loops.any(),
                  set_up(ctx, *core.authority, config.installation_user, std::move(key)));
}

std::string local_url(const Config& config, std::uint16_t port) {
  const std::string& address = config.server.listen_address;
  std::string host = address.substr(0, address.rfind(':'));
  if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  return format("{}://{}:{}", config.tls_enabled ? "https" : "http", host, port);
}

std::string first_start_text(const std::string& url, const auth::CredentialSecret& secret) {
  const std::string& key = secret.credential.access_key_id;
  const std::string& value = secret.secret_access_key;
  const std::string host = url.substr(url.find("://") + 3);
  std::string text = format("\nTarn is ready at {}\n\n", url);
  append_format(text, "  administrator      {}\n", secret.username);
  append_format(text, "  access key id      {}\n", key);
  append_format(text, "  secret access key  {}\n\n", value);
  text += "The secret is not shown again. Next, in another terminal:\n\n";
  append_format(text,
                "  export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} AWS_ENDPOINT_URL={} "
                "AWS_DEFAULT_REGION=us-east-1\n",
                key, value, url);
  append_format(text,
                "  curl -u \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" {}/api/v1/repositories -H "
                "'Content-Type: application/json' -d "
                "'{{\"name\":\"demo\",\"storage_namespace\":\"local://demo\"}}'\n",
                url);
  text += "  aws s3 cp README.md s3://demo/main/README.md\n";
  append_format(text,
                "  LAKECTL_SERVER_ENDPOINT_URL={} "
                "LAKECTL_CREDENTIALS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID "
                "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY lakectl commit "
                "lakefs://demo/main -m 'first'\n",
                url);
  append_format(text,
                "  duckdb -c \"CREATE SECRET (TYPE s3, KEY_ID '{}', SECRET '{}', ENDPOINT '{}', "
                "USE_SSL {}, URL_STYLE 'path', REGION 'us-east-1'); SELECT size FROM "
                "read_text('s3://demo/main/README.md')\"\n",
                key, value, host, url.starts_with("https") ? "true" : "false");
  text += "\nThe tour is in docs/tutorial.md. Stop the server with Ctrl-C.\n\n";
  return text;
}

std::string ready_text(const std::string& url) {
  return format("\nTarn is ready at {} (administrator and keys as set up before)\n\n", url);
}

}  // namespace tarn::app
