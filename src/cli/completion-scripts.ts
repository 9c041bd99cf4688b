/**
 * Scripts of ours for the shells for which the library's does not do: that for bash evaluates the words of the line, so that
 * `$(…)` in it would run at the press of a key, cannot be sourced twice, and needs a package; that for zsh puts a space behind a
 * folder. Both hand the words over as they stand, and ask the hidden command `complete`, which answers with a line for each
 * candidate (the value, a tab, what it is) and at last one that begins with a colon.
 */
export const completionScripts: Readonly<Record<string, string>> = {
  bash: `# bash completion for tideline
_tideline() {
  local line=\${COMP_LINE:0:COMP_POINT} value rest
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local current=\${words[-1]} kept=
  # bash takes what stands behind its last break (such as "=" and ":") for the word, and replaces only that.
  local breaks=\${COMP_WORDBREAKS//[^=:@]/}
  [[ -n $breaks ]] && kept=\${current%"\${current##*["$breaks"]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    [[ $value == :* || $value != "$current"* ]] || COMPREPLY+=("\${value#"$kept"}")
  done < <(tideline complete -- "\${words[@]:1}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
}
complete -F _tideline tideline
`,
  zsh: `#compdef tideline
_tideline() {
  local value text
  local -a named folders
  while IFS=$'\\t' read -r value text; do
    case $value in
      :*) ;;
      */) folders+=("$value") ;;
      ?*) named+=("\${value//:/\\\\:}\${text:+:$text}") ;;
    esac
  done < <(tideline complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  compadd -S '' -a folders
  _describe -t tideline tideline named
}
compdef _tideline tideline
`,
};
