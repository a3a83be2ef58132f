#!/bin/sh
# symbols.sh: what protocol/ and pipe/ link to can do no I/O, allocate nothing, read no clock and make no randomness; and
# they keep no state of their own.
# usage: symbols.sh CHECKED.a ... -- BELOW.a ...
set -eu

checked='' below=''
while [ "$1" != -- ]; do
	checked="$checked $1"
	shift
done
shift
below="$*"

# crypto/ has some that do what sans-I/O code may not: these stay out of reach.
forbidden='random_bytes|engine_new|engine_free|hash_stream_.*|group14_start|group14_stop'
# memcmp is bcmp for clang, and _chk is what fortified builds call.
allowed='mem(cpy|move|set|cmp)|bcmp|explicit_bzero|__(mem(cpy|move|set)|explicit_bzero)_chk|__stack_chk_(fail|fail_local|guard)'
allowed="$allowed|_GLOBAL_OFFSET_TABLE_"
# What sanitizers, coverage and fuzzers put in.
instrumented='__(asan|ubsan|tsan|msan|lsan|sanitizer|sancov|gcov|llvm|afl|start|stop)_.*|__gcov.*'

for library in $checked $below; do
	[ -f "$library" ] || { echo "symbols.sh: no $library" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086 # lists of paths without spaces
{
	nm -P --defined-only $checked
	nm -P --defined-only $below | grep -vE "^($forbidden) "
} | awk 'NF >= 2 { print $1 }' | sort -u >"$work/defined"
# shellcheck disable=SC2086
nm -P -u $checked | awk '$2 == "U" || $2 == "w" { print $1 }' | sort -u >"$work/undefined"
[ -s "$work/undefined" ] || { echo "symbols.sh: no symbols in$checked" >&2; exit 1; }

bad=$(comm -13 "$work/defined" "$work/undefined" | grep -vxE "$allowed|$instrumented" || true)
state=''
if ! grep -qxE "$instrumented" "$work/undefined"; then
	# shellcheck disable=SC2086
	state=$(objdump -t $checked | grep -E ' \.(t?bss|t?data)|\*COM\*' |
		grep -vE ' d  |\.data\.rel\.ro' || true)
fi

for symbol in $bad; do
	echo "symbols.sh: sans-I/O code calls $symbol" >&2
done
[ -z "$state" ] || printf 'symbols.sh: sans-I/O code keeps state:\n%s\n' "$state" >&2
[ -z "$bad" ] && [ -z "$state" ] && echo "symbols.sh: $(wc -l <"$work/undefined") undefined symbols, all allowed"
