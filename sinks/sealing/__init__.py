"""Keeps every log of the trail sealed: reads Kafka, signs what each log holds, and keeps that in three places."""
