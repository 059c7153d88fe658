# expect: --list: there is no 'tabluaus'
refused $GEN --list tabluaus
