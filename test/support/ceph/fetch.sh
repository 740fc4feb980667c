#!/usr/bin/env bash
# fetch.sh FOLDER
#
# Fetches Ceph's S3 gateway and its store (radosgw, ceph-mon, ceph-osd) from Debian's packages into FOLDER,
# with every library they need. Installs nothing and needs no root: the programs run through FOLDER's own
# loader. Ends at once when FOLDER is there already. Needs apt-get with its package lists, dpkg-deb and curl.
set -euo pipefail

folder=${1:?usage: fetch.sh FOLDER}
suite=forky # the Debian release that carries Ceph 20.2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ ! -e "$folder/VERSION" ] || exit 0

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,debs}/partial "$work"/{root,ceph/bin,ceph/lib}

# apt-get with a configuration of its own, so that it neither reads nor changes the machine's.
apt_here() {
  : >"$work/status"
  apt-get -qq \
    -o Dir::Etc::main=/dev/null -o Dir::Etc::parts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache::archives="$work/debs" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Log=/dev/null \
    -o Debug::NoLocking=1 -o APT::Sandbox::User= -o APT::Architecture=amd64 "$@"
}

# The mirror this machine's apt already uses for most of its lists.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    grep -v security | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

# One line a package: 'address' file size hash. Left out are packages of which the daemons open no file.
packages() {
  local unused='python3|libpython3|perl|libperl|systemd|libsystemd-shared|binutils|libgprofng|sudo|xfsprogs'
  unused+='|e2fsprogs|lvm2|cryptsetup|nvme|smartmontools|passwd|login|udev|parted|gdisk|debconf|dpkg|tar_'
  unused+='|coreutils|init|logrotate|media-types|tzdata'
  apt_here install -y --no-install-recommends --print-uris radosgw ceph-mon ceph-osd | grep -vE "/($unused)[^/]*\.deb'"
}

# The list was signed; what was downloaded has to be what it says.
check() {
  local file=$1 hash=$2
  case $hash in
    SHA256:*) echo "${hash#*:}  $file" | sha256sum --check --quiet ;;
    SHA512:*) echo "${hash#*:}  $file" | sha512sum --check --quiet ;;
    MD5Sum:*) echo "${hash#*:}  $file" | md5sum --check --quiet ;;
    *) echo "There is no hash to check $file by." >&2 && return 1 ;;
  esac
}

# The libraries a program or plug-in loads, when it looks for them only among the unpacked packages.
libraries_of() {
  "$ceph/lib/ld.so" --library-path "$unpacked:$unpacked/ceph" --list "$1"
}

from=$(mirror)
[ -n "$from" ] || { echo 'apt names no mirror: run apt-get update once.' >&2 && exit 1; }
echo "deb [signed-by=$keyring] $from $suite main" >"$work/sources.list"
apt_here update
packages >"$work/packages"
cut -d"'" -f2 "$work/packages" | (cd "$work/debs" && xargs -P 8 -n 8 curl -fsS --retry 3 --remote-name-all)
while read -r address _ _ hash; do
  deb=${address##*/}
  check "$work/debs/${deb%\'}" "$hash"
done <"$work/packages"

for deb in "$work"/debs/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --keep-directory-symlink \
    --exclude='./usr/share/*' --exclude='./usr/sbin/*' --exclude='./var/*' --exclude='./etc/*'
done

unpacked=$work/root/usr/lib/x86_64-linux-gnu
ceph=$work/ceph
cp -L "$unpacked/ld-linux-x86-64.so.2" "$ceph/lib/ld.so"
cp "$work"/root/usr/bin/{ceph-mon,ceph-osd,radosgw,radosgw-admin,ceph-authtool,monmaptool,osdmaptool} "$ceph/bin/"
cp -r "$unpacked/rados-classes" "$unpacked/ceph/erasure-code" "$ceph/lib/"
# Some erasure codes want libraries that Debian only suggests. The pools here are replicated.
for code in "$ceph"/lib/erasure-code/*.so; do
  libraries_of "$code" >/dev/null 2>&1 || rm "$code"
done
for file in "$ceph"/bin/* "$ceph"/lib/*/*.so; do libraries_of "$file"; done |
  grep -oE '=> [^ ]+' | cut -c4- | grep -vxF "$ceph/lib/ld.so" | sort -u >"$work/libraries"
if grep -v "^$work/" "$work/libraries" >&2; then
  echo 'These libraries would come from this machine: a package is missing from the list.' >&2
  exit 1
fi
xargs -a "$work/libraries" cp -L -t "$ceph/lib"

"$ceph/lib/ld.so" --library-path "$ceph/lib" "$ceph/bin/radosgw" --version >"$work/version"
mv "$work/version" "$ceph/VERSION"
# Whoever fetched at the same time and was first has made the same folder.
mv -T "$ceph" "$folder" 2>/dev/null || [ -e "$folder/VERSION" ]
