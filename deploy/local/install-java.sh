#!/usr/bin/env bash
# Installs Java 17 and Maven from Debian's packages where they are missing and may be installed. Apache Kafka runs on
# the one and is fetched by the other; without them the local broker is Tansu, so this never fails.
set -uo pipefail

java_fits() {
  local version
  version=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p')
  [ "${version:-0}" -ge 17 ]
}

wanted=()
java_fits || wanted+=(default-jre-headless)
command -v mvn >/dev/null || wanted+=(maven)
[ ${#wanted[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${wanted[*]} ..." >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"; } \
    >/dev/null 2>&1
fi
if ! java_fits || ! command -v mvn >/dev/null; then
  echo "no Java 17 with Maven (Debian: ${wanted[*]}): the local broker will be Tansu, which keeps its log in memory" >&2
fi
exit 0
