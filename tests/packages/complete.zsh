# What a line has become after the tabulator, in an interactive zsh on a terminal of its own: complete.zsh LINE
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "PS1= PS2= ; unsetopt zle_bracketed_paste 2>/dev/null; autoload -U compinit; compinit -u -D; print RE''ADY"
zpty -r shell got "*READY*"
# The tabulator, then to the line's begin and end, to have the line printed instead of run.
zpty -w -n shell "$1"$'\t\C-aprint -r -- "got:\C-e"\n'
zpty -r shell got $'*\ngot:*\n*'
print -r -- "${${got##*$'\n'got:}%%$'\r'*}"
