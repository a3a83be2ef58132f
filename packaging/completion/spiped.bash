# shellcheck shell=bash
# bash completion for spiped, spipe and spiped-keygen; needs nothing but bash.

_spiped_options() {
	case $1 in
	spiped)
		echo '-e --encrypt -d --decrypt -s --source -t --target -k --key -D --wait-for-dns -F --foreground
			-j --no-keepalive -b --bind -f --fast -g --require-forward-secrecy -n --max-connections
			-o --timeout -p --pidfile -r --resolve-every -R --no-resolve --syslog -u --user --workers
			--max-handshakes --source-mode --source-owner --log-level --crypto --no-sandbox --close-revoked
			--check -v --version --help'
		;;
	spipe)
		echo '-t --target -k --key -b --bind -f --fast -g --require-forward-secrecy -j --no-keepalive
			-o --timeout --exit-on-eof --log-level --crypto --no-sandbox --check -v --version --help'
		;;
	spiped-keygen)
		echo '-d --directory --list --revoke -v --version --help'
		;;
	esac
}

# Files are left to bash itself, which knows about ~ and quoting; nothing is offered where only the user can know.
_spiped() {
	local program=${1##*/} typed=${COMP_LINE:0:COMP_POINT} current option
	local -a words

	# COMP_WORDS is split at = and : too; the line itself is simpler.
	read -ra words <<<"$typed"
	[[ $typed == *' ' ]] && words+=('')
	current=${words[-1]}
	option=${words[-2]-}
	if [[ $current == --*=* ]]; then
		option=${current%%=*}
		current=${current#*=}
	fi

	COMPREPLY=()
	[[ $program == spiped-keygen ]] && option=
	case $option in
	-k | --key | -p | --pidfile | -s | --source | -t | --target) ;;
	-u | --user | --source-owner)
		if [[ $current == *:* ]]; then
			mapfile -t COMPREPLY < <(compgen -g -- "${current#*:}")
		else
			mapfile -t COMPREPLY < <(compgen -u -- "$current")
		fi
		;;
	--log-level)
		mapfile -t COMPREPLY < <(compgen -W 'error warning info debug' -- "$current")
		;;
	--crypto)
		mapfile -t COMPREPLY < <(compgen -W 'libcrypto ipsec-mb' -- "$current")
		;;
	--source-mode)
		mapfile -t COMPREPLY < <(compgen -W '0600 0660 0666' -- "$current")
		;;
	-b | --bind | -n | --max-connections | -o | --timeout | -r | --resolve-every | --workers | --max-handshakes)
		compopt +o default 2>/dev/null
		;;
	*)
		[[ $current == -* ]] || return
		mapfile -t COMPREPLY < <(compgen -W "$(_spiped_options "$program")" -- "$current")
		;;
	esac
}

complete -o default -F _spiped spiped spipe spiped-keygen
