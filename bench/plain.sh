#!/bin/sh
# What orchd is compared with: the same tasks with plain git, one after the other.
# usage: plain.sh FOLDER-FOR-WORKTREES COUNT, at the top of a checkout of main
set -e
number=1
while [ "$number" -le "$2" ]; do
    git worktree add -q -b "task-$number" "$1/$number" main
    (
        cd "$1/$number"
        sh -c "echo $number > file-$number"
        git add -A
        git commit -q -m "do task-$number"
    )
    git merge -q --no-ff -m "merge task-$number" "task-$number"
    git tag -a -m "checkpoint $number" "checkpoint-$number"
    git worktree remove "$1/$number"
    number=$((number + 1))
done
