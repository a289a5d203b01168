namespace SampleKit.Timeline;

public enum Tone
{
    Plain,
    Good,
    Bad,
    Faint,
}
