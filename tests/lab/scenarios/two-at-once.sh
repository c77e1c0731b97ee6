# shellcheck shell=bash
# of several applies at once one works, and the others say who does

hardware() { :; }

on_the_desk() { desk two.py; }
