"""Judges a challenger: whether it keeps the limits and beats the champion."""
