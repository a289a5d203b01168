using System.Text.Json.Serialization;

namespace FlashSale.Workers;

/// <summary>What a worker says, a line of JSON each.</summary>
[JsonDerivedType(typeof(Ready), nameof(Ready))]
[JsonDerivedType(typeof(OrderDone), nameof(OrderDone))]
[JsonDerivedType(typeof(PaymentIsSlow), nameof(PaymentIsSlow))]
[JsonDerivedType(typeof(AboutToWrite), nameof(AboutToWrite))]
[JsonDerivedType(typeof(RoundDone), nameof(RoundDone))]
[JsonDerivedType(typeof(Failed), nameof(Failed))]
internal abstract record WorkerMessage;
