# shellcheck shell=bash disable=SC2154 # for tests/packages/run
# The profile that the packages bring: as it is, and with each of its settings uncommented.

shipped=$top/packaging/files/profile.yaml
check() { "$binary" profile check --allow-unsafe-profile "$1"; }
# A setting is commented out with a `#` and no blank, or, below another one, two; a remark has one.
setting='^#(  +)?[a-z-]'

values() { "$binary" profile show --allow-unsafe-profile "$1" | sed -E '/^(name|# )/d; s/ +#.*//'; }
expect "mt-agent takes the packages' profile" check "$shipped"
same "untouched it says what the built-in one says" "$(values centos-6.6)" "$(values "$shipped")"

sed -E "s/$setting/&/; /$setting/s/^#//" "$shipped" >"$work/all.yaml"
expect "with every setting uncommented it is valid" check "$work/all.yaml"
lines=$(grep -cE "$setting" "$shipped")
expect "there are settings to uncomment" test "$lines" -ge 15
number=0
# Each line by itself, with those that it belongs to.
while IFS= read -r line; do
    number=$((number + 1))
    [[ $line =~ $setting ]] || continue
    [[ $line == '#  '* ]] || parent=$number
    [[ $line == '#  '* ]] || { head=$line; following=; continue; }
    case $line in
        '#  - '*) following=$line$'\n'; continue ;;
        '#    '*) following+=$line$'\n'; [[ $line == *until:* ]] || continue ;;
        *) following=$line ;;
    esac
    { echo 'extends: centos-6.6'; printf '%s\n%s\n' "$head" "$following" | sed 's/^#//'; } >"$work/one.yaml"
    expect "line $number, uncommented with line $parent, is valid" check "$work/one.yaml"
done <"$shipped"
