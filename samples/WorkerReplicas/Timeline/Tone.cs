namespace WorkerReplicas.Timeline;

internal enum Tone
{
    Plain,
    Good,
    Bad,
    Faint,
}
